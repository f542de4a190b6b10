"""What comes back to our messages: told apart before anything else is done with it.

`kinds` says what a mail is, `reports` reads what it says of recipients, `tickets` finds their number; none of them
knows the database. `letter` reads one mail, `reading` is what the sweep calls. The mailbox itself is read by the
hands that read partners' mail (cases/intake/mailbox).
"""
