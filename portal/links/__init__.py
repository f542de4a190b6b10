"""The page of a message, by the link in its mail: no log-in, no portal, one message."""
