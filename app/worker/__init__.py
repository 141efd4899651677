"""What happens beside the pages: mail is taken from the outbox and sent.

    python -m app.worker

``loop`` takes one mail after another; ``letters`` says what is in it, in the reader's
language; ``envelopes`` makes it a message in the shop's look; ``carriers`` hand it to
a mail server, or to files where there is none. Any number of workers may run, on any
machine that reaches the books: each mail is taken by one of them
(``app.store.outbox``).

Knows no Flask and no request. Nothing that it logs holds an address, a name or what a
mail server said, for servers repeat addresses.
"""
