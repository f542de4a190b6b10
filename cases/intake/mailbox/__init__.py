"""Reports by mail from partner hotlines: the sender is judged before anything else is looked at.

`server` talks IMAP, `rounds` goes through a mailbox, `letter` reads one mail, `authenticity` and `machines` judge
who sent it, `parts` takes the texts out of it, `texts` the addresses out of those, `reading` is what the sweep and
the tray call. What comes back to our messages (cases/intake/replies) is read by the same hands.
"""
