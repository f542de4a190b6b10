"""A machine whose whole network is ours: no packet leaves it, every address on it is one of our listeners.

`python -m tests.island PROGRAM FOLDER` runs inside `unshare` (ashore.py starts it): a network namespace, where an
address of the public Internet may be a hostile server of ours, and a mount namespace, where the name server is ours too.
So the programs run as they are, with their own resolver and their own rules; nothing in them is replaced.
"""
