"""Make secrets: `python -m vault WORD`.

new: ENCRYPTION_KEYS. rotate: the same, read on stdin, with a new key for sealing. secret: SECRET_KEY.
receipts: RECEIPT_KEYS. rotate-receipts: the same, read on stdin, with a new key for signing.
"""

import secrets
import sys

from vault import keys, signing


def main(arguments: list[str]) -> int:
    """Print the asked-for secret on one line. Exit status 2 on wrong usage."""
    if arguments == ["new"]:
        made = keys.new()
    elif arguments == ["rotate"]:
        made = keys.rotated(sys.stdin.read())
    elif arguments == ["secret"]:
        made = secrets.token_urlsafe(64)
    elif arguments == ["receipts"]:
        made = signing.new()
    elif arguments == ["rotate-receipts"]:
        made = signing.rotated(sys.stdin.read())
    else:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    sys.stdout.write(made + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
