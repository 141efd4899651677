"""Disorder: a shop under load while what serves it is killed, cut, wiped and filled.

``world`` starts the shop, ``load`` is its phones and tills in processes of their own,
``faults`` break things one after another, ``reckoning`` compares what the tills were
told with what is in the books.
"""
