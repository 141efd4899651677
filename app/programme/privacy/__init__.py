"""What a person may ask of us: to see what is kept of them, and to be forgotten.

* ``kept``: what is kept of a person, table by table: how it is exported, how erased.
  Both of the others walk along it, so a table that has its line there needs no more.
* ``exporting``: all of it as one JSON document
* ``erasing``: the person goes, the books stay true

What a person agreed to is in ``app.programme.consents``.
"""

from app.programme.privacy.erasing import (
    Loss,
    erase,
    erased,
    forget,
    forget_again,
    loss,
    must_be_known,
    write_first,
)
from app.programme.privacy.exporting import of_member

__all__ = [
    "Loss",
    "erase",
    "erased",
    "forget",
    "forget_again",
    "loss",
    "must_be_known",
    "of_member",
    "write_first",
]
