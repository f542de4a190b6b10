"""Every change, one verb each, one noun per file."""
