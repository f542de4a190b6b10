"""Reports by mail from partner hotlines: the sender is judged before anything else is looked at.

`server` talks IMAP, `letter` reads one mail, `authenticity` and `machines` judge who sent it, `parts` takes the
texts out of it, `texts` the addresses out of those, `reading` is what the sweep and the tray call.
"""
