"""Where the demo world's name server has its answers from."""

from pathlib import Path

RESOLVER_FILE = Path(__file__).resolve().parent / "hosts.csv"
