"""Who gains gets it at once, and what was promised stays promised: the rule alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.programme.terms import Figures, Promise, gains, running

FIGURES = st.builds(
    Figures,
    stamps_required=st.integers(2, 30),
    reward=st.sampled_from(["Coffee", "Cake"]),
    voucher_days=st.none() | st.integers(1, 3650),
)
VERSIONS = st.lists(FIGURES, max_size=6).map(
    lambda found: [Promise(number, one) for number, one in enumerate(found, 2)]
)


def is_as_good(held: Figures, other: Figures) -> bool:
    """Ask again in another way: by what a member could want of each figure."""
    forever = 10**6
    return (
        held.reward == other.reward
        and held.stamps_required >= other.stamps_required
        and (held.voucher_days or forever) <= (other.voucher_days or forever)
    )


@given(FIGURES, FIGURES)
def test_gaining_is_no_figure_worse(held: Figures, other: Figures) -> None:
    assert gains(held, other) == is_as_good(held, other)


@given(FIGURES)
def test_the_same_is_no_loss(held: Figures) -> None:
    assert gains(held, held)


@given(FIGURES, VERSIONS)
def test_a_round_that_has_begun_never_loses(
    held: Figures, since: list[Promise]
) -> None:
    found = running(Promise(1, held), since, has_stamps=True)

    assert gains(held, found.figures)


@given(FIGURES, VERSIONS)
def test_a_round_gets_every_gain_at_once(held: Figures, since: list[Promise]) -> None:
    found = running(Promise(1, held), since, has_stamps=True)

    if since and gains(held, since[0].figures) and len(since) == 1:
        assert found == since[0]
    later = [one for one in since if one.version > found.version]
    assert not any(gains(found.figures, one.figures) for one in later)


@given(FIGURES, VERSIONS)
def test_a_round_that_has_not_begun_goes_by_the_newest(
    held: Figures, since: list[Promise]
) -> None:
    first = Promise(1, held)

    assert running(first, since, has_stamps=False) == [first, *since][-1]


@given(FIGURES, VERSIONS, st.integers(0, 6))
def test_it_does_not_matter_when_somebody_looks(
    held: Figures, since: list[Promise], at: int
) -> None:
    first = Promise(1, held)
    between = running(first, since[:at], has_stamps=True)

    assert running(between, since[at:], has_stamps=True) == running(
        first, since, has_stamps=True
    )
