"""scripts/attack.py: what it throws, how it judges, and whom it leaves alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from app.programme.founding import Founded, found
from app.settings import Settings
from app.tools import Tools
from app.web import console, counter, customer
from app.web.shared import views as shared
from scripts import attack as command
from scripts.attacks import books, doors, pages, run, telling
from scripts.attacks.catalogue import Attack, Need
from scripts.attacks.run import Result
from scripts.attacks.shop import Person, Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer, NotOurs, Wire
from tests.running import Service
from tests.test_readme import rules

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 280


def attack(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody who has set nothing, with this very Python."""
    ours = ("PUNCHPROOF_", "REDIS_", "DATABASE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return subprocess.run(
        [sys.executable, "scripts/attack.py", *map(str, words)],
        cwd=ROOT,
        env={**kept, "PUNCHPROOF_VENV": "none"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.slow
def test_nothing_gets_into_an_installation_of_its_own(counts):
    # when every attack is thrown at one that is started for it
    told = attack("--tries", 10, "--json")

    # then each of them tried something, and nothing got in that must not
    assert told.stdout, told.stderr
    found = json.loads(told.stdout)
    thrown = [one for one in found["attacks"] if not one["left_out"]]
    bad = {
        one["attack"]: one["findings"]
        for one in thrown
        if one["findings"] or one["accepted"] or one["signal"] == run.MISSING
    }
    counts(
        attacks=len(thrown),
        tried=found["tried"],
        accepted=found["accepted"],
        signals=sum(one["signal"] == run.RAISED for one in thrown),
        seconds=round(found["seconds"]),
    )
    assert bad == {}
    assert told.returncode == 0
    assert min(one["tried"] for one in thrown) > 0
    left_out = [one["attack"] for one in found["attacks"] if one["left_out"]]
    assert left_out == ["codes kept until they ran out"]


@pytest.fixture
def own_tools(make_tools: Callable[..., Tools], served_settings: Settings) -> Tools:
    """Tools of the test, with the service's origin."""
    return make_tools(origin=served_settings.origin, port=served_settings.port)


@pytest.fixture
def founded(own_tools: Tools) -> Founded:
    return found(own_tools)


@pytest.fixture
def service(
    serve: Callable[..., Service], served_settings: Settings, founded: Founded
) -> Service:
    return serve(served_settings)


@pytest.fixture
def people(founded: Founded, tmp_path: Path) -> Path:
    """What the operator says of who can sign in."""
    owner = {
        "staff_id": str(founded.staff_id),
        "name": "Owner",
        "role": "owner",
        "pin": founded.pin,
    }
    account = {"email": founded.email, "password": founded.password}
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"staff": [owner], "console": account}))
    return path


@pytest.mark.slow
def test_from_outside_the_cards_say_what_got_in(service: Service, people: Path):
    # given an installation that is known by its address and one account alone
    names = ["random codes", "replay by another", "one voucher by many codes"]
    names += ["undone twice", "a stopped till", "a retired key"]

    # when some attacks are thrown at it
    words = [word for name in names for word in ("--only", name)]
    told = attack("--url", service.url, "--people", people, "--json", *words)

    # then they are judged by what can be seen, and nobody pretends to more
    assert told.returncode == 0, told.stderr
    by_name = {one["attack"]: one for one in json.loads(told.stdout)["attacks"]}
    assert set(by_name) == set(names)
    assert by_name["replay by another"]["refused"] == {"code_spent": 75}
    assert by_name["replay by another"]["signal"] == run.UNSEEN
    assert Need.OWN in by_name["a retired key"]["left_out"]
    assert all(one["accepted"] == 0 for one in by_name.values())


@pytest.fixture
def shop(service: Service, founded: Founded, own_tools: Tools) -> Iterator[Shop]:
    """The service under attack, from inside."""
    owner = Person(str(founded.staff_id), "Owner", "owner", founded.pin)
    with closing(Wire(service.url)) as wire:
        yield Shop(wire, (owner,), tools=own_tools)


def thrown(shop: Shop, throw: Callable[[Shop, Volley], None], **more) -> Result:
    one = Attack("mine", "codes", "Has all.", throw, frozenset(), more.get("signal"))
    (result,) = run.throw_all(shop, [one], size=3)
    return result


@pytest.mark.slow
def test_a_run_believes_the_books_and_not_the_answers(shop: Shop):
    # given attacks whose every answer looks like a refusal
    def gains(shop: Shop, volley: Volley) -> None:
        shop.till.scan(shop.phone.code(), stamps=2)
        volley.note(None, "refused, they said")

    def loses(shop: Shop, volley: Volley) -> None:
        shop.honest["stamps"] += 1
        volley.note(None, "refused, they said")

    # when the books have more than was given, or less; or nothing could be tried
    more = thrown(shop, gains, signal="spent_code")
    less = thrown(shop, loses)
    none = thrown(shop, lambda shop, _: shop.owner.ask("GET", "/console/"))

    # then each is told, and that no signal came
    assert more.findings == ("the books have stamps +2",)
    assert (more.accepted, more.signal) == (2, run.MISSING)
    assert less.findings == ("the books have stamps -1",)
    assert "could not be set up" in none.findings[0]
    assert not any(one.is_good for one in (more, less, none))


def answer(status: int, code: str = "") -> Answer:
    headers = {"content-type": "application/problem+json"} if code else {}
    return Answer(status, headers, json.dumps({"code": code}).encode())


def test_a_success_is_an_acceptance():
    volley = Volley(1)

    volley.throw([partial(answer, 201), partial(answer, 302)], by=())

    assert (volley.tried, volley.accepted) == (2, 2)


def test_a_refusal_for_another_reason_is_odd():
    volley = Volley(1)
    said = [answer(410, "code_unknown"), answer(401, "unauthenticated")]

    volley.throw([partial(lambda one: one, one) for one in said], by={"code_unknown"})

    assert volley.refused == {"code_unknown": 1, "unauthenticated": 1}
    assert volley.odd == {"unauthenticated": 1}
    assert volley.accepted == 0


def test_a_fault_of_the_server_is_found_and_try_again_is_none():
    volley = Volley(1)
    said = [answer(500, "internal_error"), answer(503, "try_again")]

    volley.throw([partial(lambda one: one, one) for one in said], by={"try_again"})

    assert volley.faults == 1


def test_of_many_at_once_as_many_as_may_win_are_heard():
    volley = Volley(1)

    volley.at_once([partial(answer, 201)] * 3, by=(), wins=1)

    assert (volley.accepted, volley.refused["heard"]) == (2, 1)


def test_only_what_differs_is_told():
    before, after = Counter(stamps=5, tills=1), Counter(stamps=9, tills=2)

    unlike = books.differences(before, after, Counter(stamps=1, tills=1))

    assert unlike == {"stamps": 3}


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:8000", "https://192.0.2.1", "ftp://127.0.0.1", "nothing"]
)
def test_an_address_that_is_not_this_machines_is_left_alone(url: str):
    with pytest.raises(NotOurs):
        Wire(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9"])
def test_this_machine_may_be_attacked(url: str):
    assert Wire(url).is_here


def test_an_owner_may_say_that_an_address_is_theirs():
    assert not Wire("http://192.0.2.1", may_be_elsewhere=True).is_here


def test_the_command_says_no_to_another_host(
    people_of_nobody: Path, capsys: pytest.CaptureFixture[str]
):
    url = "http://192.0.2.1"

    status = command.main(["--url", url, "--people", str(people_of_nobody)])

    assert status == 2
    assert "--i-own-it" in capsys.readouterr().err


@pytest.fixture
def people_of_nobody(tmp_path: Path) -> Path:
    path = tmp_path / "nobody.json"
    path.write_text(json.dumps({"staff": []}))
    return path


def test_where_nobody_answers_nothing_is_attacked(
    people_of_nobody: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["--url", "http://127.0.0.1:9", "--people", str(people_of_nobody)]

    assert command.main(words) == 1
    assert "nobody answers" in capsys.readouterr().err


def test_a_directory_without_a_server_is_no_ground(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert command.main(["--data", str(tmp_path)]) == 1
    assert "no server runs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--tries", "0"], ["--only", "no such"], ["--url", "http://127.0.0.1"]],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_are_told(words: list[str]):
    with pytest.raises(SystemExit) as ended:
        command.main(words)

    assert ended.value.code == 2


def test_every_attack_tells_who_tries_and_what_stops_them(
    capsys: pytest.CaptureFixture[str],
):
    attacks = run.catalogue()

    assert command.main(["--list"]) == 0

    told = capsys.readouterr().out
    assert len({one.name for one in attacks}) == len(attacks)
    for one in attacks:
        assert f"  {one.name}\n" in told
        assert re.fullmatch(r"[A-Z].{20,}\.", one.story), one.name


def test_every_form_of_the_pages_is_attacked():
    surfaces = (shared.bp, customer.bp, counter.bp, console.bp)
    routed = {path for method, path in rules(*surfaces) if method == "POST"}
    calls = {path for path in routed if path.startswith("/api/v1")}

    assert sorted((*pages.POSTS, *pages.BY_LINK)) == sorted(routed - calls)
    assert sorted(f"/api/v1{one}" for one in (*pages.CALLS, *pages.OPEN)) == sorted(
        calls
    )


def test_every_call_is_tried_with_tokens_of_every_kind():
    routed = {
        (method, re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        for method, path in rules()
        if path.startswith("/api/v1") and not path.endswith("openapi.json")
    }
    tried = {
        (method, re.sub(r"\{\w+\}|0{18}", "{}", path))
        for method, path, *_ in doors.CALLS
    }

    assert tried == routed - {("POST", one) for one in pages.OPEN}


def test_a_table_names_each_attack_its_tries_and_what_was_found():
    first, second, third = run.catalogue()[:3]
    results = [
        Result(first, tried=1200, refused=Counter(code_invalid=1199), accepted=1),
        Result(second, tried=2, findings=("answered 201",), signal=run.MISSING),
        Result(third, left_out="needs more"),
    ]

    told = telling.table(results)

    assert re.search(r"random codes +1,200 +code_invalid 1,199 +1 +not expected", told)
    assert "2 attacks" in told
    assert f"! {second.name}: answered 201" in told
    assert "not thrown: needs more" in told
    facts = telling.as_json(results, seconds=1.0)
    assert (facts["tried"], facts["accepted"], facts["is_good"]) == (1202, 1, False)
