from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Sealed columns, the blind index beside them, and the key that signs receipts."""

    name = "vault"

    def ready(self) -> None:
        """Read the keys once, so that a process without them refuses to start."""
        from vault import keys, signing

        keys.ring()
        signing.signer()
