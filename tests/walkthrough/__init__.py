"""The whole path, on the running system and by commands and API."""
