"""What pages of the portal say of notices, put together from facts; nothing is decided here."""
