"""Earning: what a shop gives for what, and how it comes into the books.

* ``rules``: the values: a rule, what it looks at, what comes of it.
* ``windows``: on which days and hours a rule holds.
* ``count``: what an occasion earns. Pure, like the two above.
"""

from __future__ import annotations
