"""Two machines, each with its own copy of the keys, one Redis, one set of books.

Copies are made by hand here, as a tired operator makes them: in the wrong order, cut
short, with the wrong mode. Both machines are busy meanwhile, and codes that one of
them showed are spent at the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from app.programme.founding import Founded, found
from app.settings import Settings
from app.tools import Tools
from scripts import keys as keys_command
from tests.app.web.api.traffic import (
    PATIENCE_S,
    Traffic,
    at_each_worker,
    booked,
    collect,
    collected,
    cries,
    outcomes,
    run,
    scanned,
    unissued,
    until_live,
    with_ring_of_its_own,
)
from tests.running import BUSY, Service, free_port, join, work

pytestmark = [
    pytest.mark.slow,
    # Books that two machines can share.
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

WORKERS_EACH, LANES = 2, 8
PAUSES = (0.2, 0.5, 1.0, 2.0)
#: From the end of a copy until every process works with it, in s.
PROMISE_S = 5.0


@dataclass(frozen=True)
class Machine:
    """One server with keys of its own."""

    settings: Settings
    service: Service
    #: One client for each web process.
    processes: Mapping[int, httpx.Client]

    @property
    def keys(self) -> Path:
        return self.settings.keys

    def health(self) -> list[dict[str, object]]:
        """What ``/readyz`` says, one for each process."""
        return [one.get("/readyz").json() for one in self.processes.values()]

    def rings(self) -> set[object]:
        return {said["ring"] for said in self.health()}

    def problems(self) -> list[object]:
        return [said["problems"] for said in self.health()]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return with_ring_of_its_own(settings, tmp_path)


@pytest.fixture
def tools(make_tools: Callable[..., Tools], served_settings: Settings) -> Tools:
    return make_tools(origin=served_settings.origin, port=served_settings.port)


@pytest.fixture
def shop(tools: Tools) -> Founded:
    return found(tools, BUSY)


@pytest.fixture
def machines(
    tools: Tools,
    shop: Founded,
    served_settings: Settings,
    serve: Callable[..., Service],
    tmp_path: Path,
) -> Iterator[tuple[Machine, Machine]]:
    """A, where the operator works, and B, which has copies."""
    other = tmp_path / "machine-b"
    shutil.copytree(served_settings.keys, other / "keys")
    shutil.copy2(served_settings.keys_passphrase_file, other / "passphrase")
    of_b = dataclasses.replace(
        served_settings,
        data=other,
        port=free_port(),
        keys=other / "keys",
        keys_passphrase_file=other / "passphrase",
    )
    with contextlib.ExitStack() as stack:
        made = []
        for mine in (served_settings, of_b):
            service = serve(mine, workers=WORKERS_EACH)
            processes = at_each_worker(
                lambda one=service: stack.enter_context(one.client()),
                service,
                WORKERS_EACH,
            )
            made.append(Machine(mine, service, processes))
        until_live(tools, 2 * WORKERS_EACH)
        yield made[0], made[1]


@pytest.fixture
def operate(served_settings: Settings, capsys: pytest.CaptureFixture[str]):
    """Give ``scripts/keys.py`` on machine A; its status, words and complaints."""

    def command(*words: str) -> tuple[int, str, str]:
        mine = served_settings
        environ = {
            "PUNCHPROOF_ORIGIN": mine.origin,
            "PUNCHPROOF_KEYS": str(mine.keys),
            "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(mine.keys_passphrase_file),
            "DATABASE_URL": mine.database_url,
            "REDIS_URL": mine.redis_url,
        }
        status = keys_command.main(
            [*words, "--data", str(mine.data)], environ=environ, wait=lambda _: None
        )
        told = capsys.readouterr()
        return status, told.out, told.err

    return command


@pytest.fixture
def streets(machines: tuple[Machine, Machine], tools: Tools, shop: Founded):
    """Customers whose phones and tills talk to either machine, in every pairing."""
    with contextlib.ExitStack() as stack:

        def client(machine: Machine, token: str) -> httpx.Client:
            return stack.enter_context(machine.service.client(token))

        lanes = []
        with machines[0].service.client() as door:
            desk_token = work(door, tools, shop)
            for number in range(LANES):
                shows, takes = machines[number % 2], machines[number // 2 % 2]
                member = join(door)
                way, pause = (scanned, collected)[number // 4], PAUSES[number % 4]
                phone, desk = (
                    (client(shows, member["token"]), client(takes, desk_token))
                    if way is scanned
                    else (client(takes, member["token"]), client(shows, desk_token))
                )
                lanes.append(way(phone, desk, member["card_id"], pause))
        yield lanes


def wait_until(is_so: Callable[[], bool]) -> float:
    """Look again and again; how long it took, in s."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < PATIENCE_S, "it did not come to that"
        time.sleep(0.05)
    return time.monotonic() - began


# What can go wrong with a copy: each leaves B with less than a ring.


def ring_before_its_key(a: Path, b: Path) -> None:
    shutil.copy2(a / "ring.json", b / "ring.json")


def ring_torn(a: Path, b: Path) -> None:
    copy_all_but_ring(a, b)
    whole = (a / "ring.json").read_bytes()
    (b / "ring.json").write_bytes(whole[: len(whole) // 2])


def ring_empty(a: Path, b: Path) -> None:
    copy_all_but_ring(a, b)
    (b / "ring.json").write_bytes(b"")


def ring_open_to_all(a: Path, b: Path) -> None:
    copy_all_but_ring(a, b)
    (b / "ring.json").chmod(0o644)
    shutil.copyfile(a / "ring.json", b / "ring.json")


def key_half_copied(a: Path, b: Path) -> None:
    bring_back(b)
    copy_all_but_ring(a, b)
    newest = max(b.glob("key-*.pem"))
    newest.write_bytes(newest.read_bytes()[:60])
    shutil.copy2(a / "ring.json", b / "ring.json")


def directory_gone(a: Path, b: Path) -> None:
    b.rename(b.with_name("keys.away"))


#: Those of one rotation each, one upon the other; and a word of what B says of each.
FAULTS = (
    {ring_before_its_key: "missing", ring_torn: "torn", ring_open_to_all: "open to"},
    {ring_empty: "torn", directory_gone: "no key ring", key_half_copied: "torn"},
)


def copy_all_but_ring(a: Path, b: Path) -> None:
    for path in (*a.glob("key-*.pem"), *a.glob("secret-*.sealed")):
        shutil.copy2(path, b / path.name)


def copy_all(a: Path, b: Path) -> None:
    """Mend whatever is wrong: files first, ring.json last, and nothing that is gone."""
    bring_back(b)
    copy_all_but_ring(a, b)
    shutil.copy2(a / "ring.json", b / "ring.json")
    for path in (*b.glob("key-*.pem"), *b.glob("secret-*.sealed")):
        if not (a / path.name).exists():
            path.unlink()


def bring_back(b: Path) -> None:
    away = b.with_name("keys.away")
    if away.exists():
        away.rename(b)


def named(keys: Path) -> set[str]:
    """The files of the ring that ``ring.json`` names, and its own."""
    said = json.loads((keys / "ring.json").read_text())
    return {
        "ring.json",
        "ring.lock",
        *(f"key-{one['key_id']:05d}.pem" for one in said["keys"]),
        *(f"secret-{one['secret_id']:05d}.sealed" for one in said["secrets"]),
    }


@dataclass
class Copying:
    """A key that is made on A and copied to B, badly and then well."""

    a: Machine
    b: Machine
    operate: Callable[..., tuple[int, str, str]]
    traffic: Traffic
    #: Until every process of B told of a bad copy, and had a good one, in s.
    alarms: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def on_disk(self) -> set[object]:
        """The ring of A as it is on its disk."""
        return {json.loads(self.operate("list", "--json")[1])["ring"][:16]}

    def make(self, key_id: int) -> None:
        old = self.b.rings()
        assert self.operate("create", "--apply")[0] == 0
        # Files that no ring names yet disturb nobody.
        copy_all_but_ring(self.a.keys, self.b.keys)
        wanted = self.on_disk()
        wait_until(lambda: self.a.rings() == wanted)
        self.is_held_up(key_id)
        assert self.b.rings() == old
        assert self.b.problems() == [[]] * WORKERS_EACH
        for path in {p.name for p in self.b.keys.iterdir()} - named(self.b.keys):
            (self.b.keys / path).unlink()

    def spoil(self, by: Callable[[Path, Path], None], words: str) -> None:
        """Copy badly: B says so, serves on with the old ring and holds the key up."""
        old = self.b.rings()
        by(self.a.keys, self.b.keys)
        told = wait_until(lambda: [] not in self.b.problems())
        self.alarms.append(told)
        assert self.b.rings() == old
        assert {one["status"] for one in self.b.health()} == {"not ready"}
        # What is the matter stands in no answer to strangers.
        wait_until(lambda: troubled(self.operate, words) == set(self.b.processes))
        since, before = time.time(), len(self.traffic.tries)
        self.traffic.until(lambda: len(self.traffic.tries) >= before + LANES)
        assert self.traffic.given(since=since)

    def is_held_up(self, key_id: int) -> None:
        """The guard names every process that does not have the ring."""
        status, _, complaint = self.operate("activate", str(key_id), "--apply")
        assert status == 2
        assert all(f":{process}:" in complaint for process in self.b.processes)

    def mend(self) -> None:
        """Copy well: B has it."""
        wanted = self.on_disk()
        copy_all(self.a.keys, self.b.keys)
        self.waits.append(wait_until(lambda: self.b.rings() == wanted))
        assert self.b.problems() == [[]] * WORKERS_EACH

    def activate(self, key_id: int) -> None:
        """Let the key sign as soon as the guard lets it; B learns of it by a copy."""
        wait_until(lambda: self.operate("activate", str(key_id), "--apply")[0] == 0)
        since = time.time()
        self.traffic.until(lambda: self.traffic.given(key_id=key_id, since=since))
        self.mend()


def test_a_bad_copy_keeps_the_old_ring_and_a_good_one_is_there_at_once(
    machines, operate, streets, tools, tmp_path, counts
):
    with Traffic(streets) as traffic:
        copying = Copying(*machines, operate, traffic)
        for key_id, faults in enumerate(FAULTS, start=2):
            # given a new key on A, of which B knows nothing
            copying.make(key_id)

            # when its copy to B goes wrong, then B goes on with what it had
            for spoil, words in faults.items():
                copying.spoil(spoil, words)
                copying.is_held_up(key_id)

            # when the copy is whole, then B has it, and the key can sign
            copying.mend()
            copying.activate(key_id)

    entries, nonces = booked(tools)
    counts(
        bad_copies=len(copying.alarms),
        given=len(traffic.given()),
        booked=len(entries),
        doubled=len(entries) - nonces,
        refused=traffic.refused().total(),
        retries=traffic.retries,
        keys_used=len({one.key_id for one in traffic.given()}),
        longest_until_alarm_s=round(max(copying.alarms), 1),
        longest_until_new_ring_s=round(max(copying.waits), 1),
    )
    assert max(copying.waits) < PROMISE_S
    assert traffic.refused().total() == 0
    assert sorted(str(one.stamp_id) for one in traffic.given()) == entries
    assert len(entries) == nonces
    assert unissued(tools) == []
    # Of each rotation's trouble the log told when it began and when it was over.
    told = cries(tmp_path, "ring_refused")
    assert told.count("alarm") >= len(FAULTS)
    assert told.count("alarm over") >= len(FAULTS)


def troubled(operate, words: str) -> set[int]:
    """The processes whose last report tells of their ring in these words."""
    status, told, _ = operate("list", "--json")
    assert status == 0
    return {
        int(worker["worker_id"].split(":")[1])
        for worker in json.loads(told)["workers"]
        if worker["problem"] is not None and words in worker["problem"]
    }


def test_one_command_rotates_both_machines_while_its_files_are_copied(
    machines, served_settings, streets, counts
):
    # given an operator who copies whatever changes on A
    a, b = machines
    with Traffic(streets) as traffic, following(a.keys, b.keys):
        # when one command rotates, then it waits for both
        told = run(served_settings, "scripts/rotate_keys.py", "--apply", "--json")
        assert told.returncode == 0, told.stderr
        done = json.loads(told.stdout)
        assert (done["key_id"], done["workers"]) == (2, 2 * WORKERS_EACH)
        before = len(traffic.given(key_id=2))
        traffic.until(lambda: len(traffic.given(key_id=2)) >= before + 2 * LANES)

    counts(given=len(traffic.given()), refused=traffic.refused().total())
    assert traffic.refused().total() == 0


@contextlib.contextmanager
def following(a: Path, b: Path) -> Iterator[None]:
    """Copy the ring whenever it has changed, from a thread."""
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(0.2):
            if (a / "ring.json").read_bytes() != (b / "ring.json").read_bytes():
                copy_all(a, b)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_revocation_names_the_machine_that_has_not_heard_of_it(
    machines, operate, tools, shop, counts
):
    # given a code of the stolen key that is out, and B with a copy
    a, b = machines
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(a.service.client())
        desk = stack.enter_context(a.service.client(work(client, tools, shop)))
        member = join(client)
        out = [desk.post("/api/v1/stamp-codes").json()["code"] for _ in range(4)]

        # when the key is called back on A
        status, _, complaint = operate(
            *(
                "revoke",
                "1",
                "--since",
                "2026-01-01T00:00",
                "--reason",
                "laptop stolen",
            ),
            "--apply",
        )

        # then the processes of B are named, for there the code is good yet
        assert status == 1
        assert all(f":{process}:" in complaint for process in b.processes)
        bearer = {"Authorization": f"Bearer {member['token']}"}
        at_b = list(b.processes.values())
        for one in at_b:
            one.headers.update(bearer)
        assert collect(at_b[0], member["card_id"], out[0]).is_success

        # when the ring is copied, then it is good nowhere
        copy_all(a.keys, b.keys)
        wanted = {json.loads(operate("list", "--json")[1])["ring"][:16]}
        wait = wait_until(lambda: b.rings() | a.rings() == wanted)
        everywhere = [*at_b, stack.enter_context(a.service.client(member["token"]))]
        refused = outcomes(
            collect(one, member["card_id"], code)
            for one in everywhere
            for code in out[1:]
        )
    counts(seconds_after_the_copy=round(wait, 1), refused=dict(refused))
    assert wait < PROMISE_S
    assert set(refused) == {"code_revoked"}
    assert unissued(tools) == []
