"""The simulated shop: the same for the same seed, and blatant cheats are found."""

from __future__ import annotations

import json
import random

import pytest

from app.programme.signals import kinds
from scripts import simulate
from scripts.simulation import cheats, honest, score
from scripts.simulation.plan import Plan


def planned(seed: int) -> Plan:
    plan, chance = Plan(), random.Random(seed)
    honest.customers(plan, chance, days=60, members=40)
    honest.trouble(plan, chance, days=60)
    cheats.commit(plan, chance, days=60, each=2)
    return plan


def test_the_same_seed_is_the_same_year():
    assert planned(3).events == planned(3).events
    assert planned(3).events != planned(4).events


def test_every_cheat_is_meant_to_be_found_by_some_signal():
    tried = {each.cheat.partition("-")[0] for each in planned(3).events if each.cheat}

    assert tried == {name for meant in score.MEANT.values() for name in meant}
    assert set(score.MEANT) <= set(kinds.ALL)


@pytest.mark.slow
def test_the_blatant_form_of_each_cheat_is_found(
    capsys: pytest.CaptureFixture[str], counts
):
    """A month, and each cheat once: what a threshold that was moved would break."""
    options = ["--days", "30", "--members", "12", "--each", "1", "--seed", "11"]

    assert simulate.main([*options, "--json"]) == 0

    found = {each["kind"]: each for each in json.loads(capsys.readouterr().out)}
    missed = {
        kind: each for kind, each in found.items() if each["found"] < each["cheats"]
    }
    assert missed == {}
    raised = sum(each["raised"] for each in found.values())
    right = sum(each["right"] for each in found.values())
    assert right >= 0.7 * raised
    counts(raised=raised, right=right, wrong=raised - right)


def test_less_than_a_month_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        simulate.main(["--days", "29"])

    assert "--days must be 30 or more" in capsys.readouterr().err
