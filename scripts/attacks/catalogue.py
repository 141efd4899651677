"""The list of attacks: how one is written down, and what it may ask for.

An attack is one function of two arguments: the shop under attack, and the volley that
counts what was thrown at it and what came of it. Its name is the attack's name; its
docstring says in a sentence what the attacker has and what stops them::

    @attack()
    def random_codes(shop: Shop, volley: Volley) -> None:
        \"\"\"Has nothing, and guesses; 512 bits of signature stop them.\"\"\"
        volley.throw(
            (partial(shop.knock, kind, guess()) for kind in volley.share(DOORS)),
            by={"code_invalid"},
        )
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scripts.attacks.shop import Shop
    from scripts.attacks.volley import Volley

Throw = Callable[["Shop", "Volley"], None]


class Need(StrEnum):
    """What an attack cannot do without; the words say what to give the command."""

    #: The books, the ring and the log of the installation: for what nobody outside
    #: could do, such as signing with its key.
    INSIDE = "the installation's directory (--data, --own)"
    #: An installation that is thrown away after: its keys are changed.
    OWN = "an installation of its own (--own)"
    #: Somebody who may sign in to the console.
    CONSOLE = "the console's e-mail and password"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack of the catalogue."""

    name: str
    #: The module that it stands in.
    subject: str
    #: What the attacker has, and what stops them.
    story: str
    throw: Throw
    needs: frozenset[Need]
    #: The signal that must be raised, if any.
    signal: str | None


#: Every attack, in the order in which they are thrown.
CATALOGUE: Final[list[Attack]] = []


def attack(*needs: Need, signal: str | None = None) -> Callable[[Throw], Throw]:
    """Put a function in the catalogue.

    Args:
        needs: what it cannot do without.
        signal: the kind of signal that the shop must raise.
    """

    def put(throw: Throw) -> Throw:
        story = " ".join((inspect.getdoc(throw) or "").split())
        CATALOGUE.append(
            Attack(
                name=throw.__name__.replace("_", " "),
                subject=throw.__module__.rpartition(".")[2],
                story=story,
                throw=throw,
                needs=frozenset(needs),
                signal=signal,
            )
        )
        return throw

    return put
