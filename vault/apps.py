from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Sealed columns: encryption with associated data and the blind index beside it."""

    name = "vault"

    def ready(self) -> None:
        """Read the keys once, so that a process without them refuses to start."""
        from vault import keys

        keys.ring()
