"""The list of targets: how one is written down, and when it has found something.

A target is one function of one argument, the bytes. It reads them as the program does,
by the door that the program uses. What the docstrings of that door say it raises is
allowed; whatever else comes out is a finding, and so is ``Found``, which a target
raises itself when what was read can't be right::

    @target(seeds=spelled, allowed=(CodeError,))
    def code_texts(data: bytes) -> None:
        \"\"\"What a scanner gives: 128 characters, or the link around them.\"\"\"
        codes.verify(text_of(data), ground.ring(), origin=ORIGIN)

Seeds are real valid inputs. What is only bent a little gets further than noise.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Read = Callable[[bytes], object]
Seeds = Callable[[], Sequence[bytes]]


class Found(Exception):
    """Something was read that can't be right; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of the catalogue."""

    name: str
    #: The module that it stands in.
    subject: str
    #: Whose text it reads.
    story: str
    read: Read
    seeds: Seeds
    #: What it may raise: the errors that its door documents.
    allowed: tuple[type[Exception], ...]
    #: Of so many inputs that others get it gets one: it is as slow.
    one_of: int = 1


#: Every target, in the order in which they are listed.
CATALOGUE: Final[list[Target]] = []


def target(
    *, seeds: Seeds, allowed: tuple[type[Exception], ...] = (), one_of: int = 1
) -> Callable[[Read], Read]:
    """Put a function in the catalogue.

    Args:
        seeds: makes real valid inputs.
        allowed: what the door documents that it raises.
        one_of: how many times slower it is than most, roughly.
    """

    def put(read: Read) -> Read:
        CATALOGUE.append(
            Target(
                name=read.__name__.replace("_", " "),
                subject=read.__module__.rpartition(".")[2],
                story=" ".join((inspect.getdoc(read) or "").split()),
                read=read,
                seeds=seeds,
                allowed=allowed,
                one_of=one_of,
            )
        )
        return read

    return put


def text_of(data: bytes) -> str:
    """Make a text of bytes, one in which everything may turn up: half characters too.

    As Python reads names of files and variables: what is no UTF-8 becomes a lone
    surrogate, which many a library chokes on.
    """
    return data.decode("utf-8", "surrogateescape")
