"""A backup is whole and sealed; once it is restored, nothing spent lives again."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis
from sqlalchemy import func, select

from app.programme import (
    batches,
    cards,
    members,
    printing,
    privacy,
    proofs,
    stamping,
)
from app.programme.errors import CodeRevoked, CodeSpent
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.settings import Settings
from app.store.tables import AuditEntry, LedgerEntry, PrintedBatch
from app.tools import Tools
from scripts import backup, erased, keys, restore
from scripts.parts import backup_archive
from scripts.parts.backup_archive import NotWhole
from signing import keyfiles
from signing.keyring import KeyState
from tests.app.programme.key_rooms import own_ring
from tests.conftest import both_books
from tests.running import ROOT, Service, enrol, free_port, join, running, sign_in

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A shop with a ring and an address of its own."""
    port = free_port()
    mine = dataclasses.replace(settings, port=port, origin=f"http://localhost:{port}")
    return own_ring(mine, tmp_path)


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """As the server of the shop has it."""
    return {
        "PATH": os.environ["PATH"],
        "PUNCHPROOF_DATA": str(settings.data),
        "PUNCHPROOF_ORIGIN": settings.origin,
        "PUNCHPROOF_KEYS": str(settings.keys),
        "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(settings.keys_passphrase_file),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    place = tmp_path / "elsewhere"
    place.mkdir()
    return place


@pytest.fixture
def take(environ, elsewhere, capsys):
    """Take a backup; gives its file, or the status and what was said."""

    def taken(*words: str) -> Path:
        status = backup.main(
            ["--to", str(elsewhere), "--apply", "--json", *words], environ=environ
        )
        told = capsys.readouterr()
        assert status == 0, told.err
        return Path(json.loads(told.out)["file"])

    return taken


@dataclasses.dataclass
class Place:
    """Where a backup is put back."""

    settings: Settings
    environ: dict[str, str]
    status: int = 0
    said: str = ""
    complained: str = ""

    @property
    def told(self) -> dict:
        return json.loads(self.said)


@pytest.fixture
def place(settings: Settings, environ, tmp_path, request) -> Callable[..., Place]:
    """An empty place: a directory, and a database or a file that is not there."""

    def make(name: str = "fresh") -> Place:
        data = tmp_path / name
        url = f"sqlite:///{data / 'punchproof.sqlite3'}"
        if not settings.database_url.startswith("sqlite"):
            url = request.getfixturevalue("postgres_server").new_database()
        fresh = dataclasses.replace(
            settings,
            data=data,
            keys=data / "keys",
            keys_passphrase_file=data / "keys.passphrase",
            database_url=url,
        )
        mine = {
            **environ,
            "PUNCHPROOF_DATA": str(data),
            "DATABASE_URL": url,
            "PUNCHPROOF_KEYS": str(fresh.keys),
            "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(fresh.keys_passphrase_file),
        }
        return Place(fresh, mine)

    return make


@pytest.fixture
def put_back(settings: Settings, place, capsys):
    """Restore a backup into a place."""

    def restored(file: Path, *words: str, into: Place | None = None) -> Place:
        where = into or place()
        opens = settings.keys_passphrase_file
        capsys.readouterr()
        given = [] if "--with" in words else ["--with", str(opens)]
        where.status = restore.main(
            [str(file), "--json", *given, *words], environ=where.environ
        )
        told = capsys.readouterr()
        where.said, where.complained = told.out, told.err
        return where

    return restored


@pytest.fixture
def opened(make_tools):
    """Open the tools of a restored shop."""

    def over(where: Place) -> Tools:
        names = ("data", "keys", "keys_passphrase_file", "database_url")
        return make_tools(**{name: getattr(where.settings, name) for name in names})

    return over


@pytest.fixture
def owner(founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def paper(tools, founded, owner):
    """The links of a batch, as they stand on paper."""

    def printed() -> list[str]:
        drawn: list = []
        batch_id = batches.make(
            tools,
            name="Spring market",
            programme_id=founded.programme_id,
            location_id=founded.location_id,
            stamps=2,
            count=3,
            last_day=tools.now().date() + timedelta(days=90),
            by=owner,
        )

        def draw(stamps):
            drawn.extend(stamps)
            return b"%PDF"

        printing.put_on_paper(tools, batch_id, layout="a4", by=owner, draw=draw)
        return [one.url for one in drawn]

    return printed


def entries(tools: Tools) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(LedgerEntry)) or 0


def actions(tools: Tools) -> list[str]:
    with tools.database.read() as tx:
        return list(tx.scalars(select(AuditEntry.action).order_by(AuditEntry.audit_no)))


def members_of(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {
            info.name: tar.extractfile(info).read()  # type: ignore[union-attr]
            for info in tar.getmembers()
        }


def repacked(file: Path, members: dict[str, bytes]) -> Path:
    """The same file with other members."""
    with tarfile.open(file, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file


# Taking one


@both_books
def test_a_backup_is_one_file_that_its_owner_alone_reads(
    take, tools, make_card, give, settings
):
    give(make_card(), 3)

    file = take()

    members = members_of(file)
    manifest = json.loads(members["manifest.json"])
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(members) == {"manifest.json", "ring.sealed", *manifest["files"]}
    for name, said in manifest["files"].items():
        assert said["sha256"] == hashlib.sha256(members[name]).hexdigest()
    assert manifest["rows"]["ledger_entry"] == manifest["ledger"]["entries"] == 1
    assert manifest["origin"] == settings.origin
    assert actions(tools)[-1] == "books.backed_up"
    # and nothing is left of the work on it
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_opens_the_ring_is_not_in_it(take, settings, tools, founded):
    data = take().read_bytes()

    words = settings.keys_passphrase_file.read_bytes().strip()
    ring = tools.keys.ring
    assert words not in data
    assert bytes.fromhex(words.decode()) not in data
    assert ring.active.signer.private_bytes_raw() not in data
    assert all(secret not in data for secret in ring.secrets)


@pytest.mark.usefixtures("tools")
def test_it_says_so_and_shows_before_it_acts(environ, elsewhere, capsys):
    assert backup.main(["--to", str(elsewhere)], environ=environ) == 0

    said = capsys.readouterr().out
    assert said.startswith("would: ")
    assert "is not in it" in said
    assert "--apply" in said
    assert list(elsewhere.iterdir()) == []


@both_books
def test_a_backup_beside_writers_is_one_state_of_the_books(
    take, put_back, tools, elsewhere, make_card, give, counts
):
    card, is_over = make_card(), threading.Event()

    def write() -> None:
        while not is_over.is_set():
            give(card, 1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        take("--to", str(elsewhere / "first.tar"))
        least = entries(tools)
        file = take("--to", str(elsewhere / "second.tar"))
    finally:
        is_over.set()
        writer.join()

    # Its heads, rows and every entry are compared as it is put back.
    restored = put_back(file, "--apply")
    assert restored.status == 0, restored.complained
    assert restored.told["findings"] == []
    # What was there before it began is in it, and nothing of after its end.
    assert least <= restored.told["entries"] <= entries(tools)
    assert restored.told["proved"] == restored.told["entries"]
    counts(written=entries(tools), restored=restored.told["entries"])


def test_a_backup_that_the_disk_does_not_take_is_not_there(
    environ, elsewhere, tools, founded
):
    # Else Python's own caches would be cut short too, for everybody after us.
    mine = {"PUNCHPROOF_VENV": "none", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "scripts/backup.py", "--to", str(elsewhere), "--apply"],
        cwd=ROOT,
        env={**environ, **mine},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000)),
    )

    assert done.returncode == 1, done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert list(elsewhere.iterdir()) == []


def test_it_keeps_as_many_as_it_is_told(take, elsewhere, tools, founded):
    older = [elsewhere / f"punchproof-2026010{n}T000000Z.tar" for n in range(1, 5)]
    mine = elsewhere / "mine.tar"
    for path in (*older, mine):
        path.touch()

    file = take("--keep", "3")

    assert set(elsewhere.iterdir()) == {*older[2:], mine, file}


def test_a_backup_is_never_overwritten_and_never_put_where_nothing_is(
    environ, elsewhere, tools, founded, capsys
):
    there = elsewhere / "there.tar"
    there.write_bytes(b"mine")

    for to in (there, elsewhere / "not mounted" / "one.tar"):
        assert backup.main(["--to", str(to), "--apply"], environ=environ) == 2
    to = elsewhere / "one.tar"
    words = ["--to", str(to), "--keep", "3", "--apply"]
    assert backup.main(words, environ=environ) == 2

    assert there.read_bytes() == b"mine"
    assert list(elsewhere.iterdir()) == [there]


# Putting one back


@both_books
def test_a_restored_shop_goes_on_with_another_key(
    take, put_back, tools, make_card, give, opened, settings
):
    card = give(make_card(), 3)
    epoch = tools.nonces.epoch(bytes(9))
    file = take()

    # when it is shown, then nothing is done
    shown = put_back(file)
    assert (shown.status, shown.told["applied"]) == (0, False)
    assert not shown.settings.data.exists()

    restored = put_back(file, "--apply", into=shown)

    told = restored.told
    assert restored.status == 0, restored.complained
    assert told["findings"] == []
    assert told["revoked"] == [1]
    over = opened(restored)
    # Ids that may have been given since are passed over.
    assert over.keys.ring.active.key_id == told["key_id"] == 102
    assert over.keys.ring.key(1).state is KeyState.REVOKED
    assert over.database.problems() == []
    assert actions(over)[-2:] == ["key.renewed", "books.restored"]
    assert over.nonces.epoch(bytes(9)) != epoch
    assert over.nonces.epoch(bytes(9)).epoch_id == told["epoch"]
    assert cards.card(over, card.card_id).stamps == 3
    # and the commands that look after it find nothing
    words = ["--data", str(restored.settings.data)]
    assert keys.main(["check", *words], environ=restored.environ) == 0
    opens = restored.settings.keys_passphrase_file
    assert opens.read_bytes() != settings.keys_passphrase_file.read_bytes()


@both_books
@pytest.mark.usefixtures("founded")
def test_who_was_erased_since_is_erased_again(
    take, put_back, opened, tools, environ, elsewhere, capsys
):
    anna = members.join(tools, name="Anna", email="anna@example.org")
    bent = members.join(tools, name="Bent")
    file = take()
    digits = privacy.loss(tools, anna.member_id).digits
    privacy.erase(tools, anna.member_id, digits=digits)
    capsys.readouterr()
    assert erased.main([], environ=environ) == 0
    listed = elsewhere / "erased.txt"
    listed.write_text(capsys.readouterr().out)

    there = put_back(file, "--apply", "--erased", str(listed))

    assert there.status == 0, there.complained
    assert there.told["erased"] == 1
    over = opened(there)
    assert members.member(over, anna.member_id).email is None
    assert members.member(over, bent.member_id).name == "Bent"
    assert cards.card(over, anna.card_id).is_closed


def test_a_list_of_the_erased_that_is_none_restores_nothing(
    take, put_back, tools, founded, elsewhere
):
    listed = elsewhere / "erased.txt"
    listed.write_text("anna@example.org\n")

    there = put_back(take(), "--apply", "--erased", str(listed))

    assert there.status == 2
    assert "no list of scripts/erased.py" in there.complained
    assert "anna" not in there.complained


@both_books
def test_books_of_an_older_release_are_put_back_and_brought_up(
    take, put_back, tools, make_card, give, settings
):
    give(make_card(), 2)
    older = {"PATH": os.environ["PATH"], "DATABASE_URL": settings.database_url}
    subprocess.run(
        [sys.executable, "-m", "alembic", "downgrade", "0003"],
        cwd=ROOT,
        env={**older, "PYTHONPATH": "."},
        check=True,
        capture_output=True,
    )
    file = take()

    restored = put_back(file, "--apply")

    assert restored.status == 0, restored.complained
    assert "printed_batch" not in restored.told["rows"]
    assert restored.told["findings"] == []


@both_books
def test_a_place_that_was_used_is_refused(take, put_back, place, tools, founded):
    file = take()
    first = put_back(file, "--apply")
    assert first.status == 0, first.complained

    # when it is done once more, and into the same database from another directory
    again = put_back(file, "--apply", into=first)
    assert again.status == 2
    other = place("other")
    other.environ["DATABASE_URL"] = first.settings.database_url
    assert put_back(file, "--apply", into=other).status == 2
    assert not (other.settings.data / "keys").exists()


def test_a_restore_that_was_cut_short_is_begun_again(
    take, put_back, tools, make_card, give
):
    give(make_card(), 2)
    file = take()
    # given one that died when the ring was on the disk and the books had no name yet
    first = put_back(file, "--apply")
    part = first.settings.data / ".restore.99"
    part.mkdir()
    books = first.settings.data / "punchproof.sqlite3"
    books.rename(part / "books")

    again = put_back(file, "--apply", into=first)

    assert again.status == 0, again.complained
    assert (again.told["revoked"], again.told["key_id"]) == ([102], 103)
    assert again.told["findings"] == []
    assert not part.exists()


def test_a_nonce_store_that_remembers_the_lost_time_is_in_the_way(
    take, put_back, place, tools, founded
):
    where = place()
    (where.settings.data / "redis").mkdir(parents=True)
    del where.environ["REDIS_URL"]

    refused = put_back(take(), "--apply", into=where)

    assert refused.status == 2
    assert "the nonce store" in refused.complained


@pytest.mark.parametrize("way", ["cut", "books", "manifest", "more", "no backup"])
def test_a_backup_that_is_not_as_it_was_made_is_refused(
    take, put_back, tools, founded, way
):
    file = take()
    members = members_of(file)
    if way == "cut":
        file.write_bytes(file.read_bytes()[:-100_000])
    elif way == "books":
        books = bytearray(members["books.sqlite3"])
        books[5000] ^= 1
        repacked(file, members | {"books.sqlite3": bytes(books)})
    elif way == "manifest":
        # by somebody who knows the format, and has no passphrase
        manifest = json.loads(members["manifest.json"])
        manifest["made_at"] = "2020-01-01T00:00:00+00:00"
        repacked(file, members | {"manifest.json": json.dumps(manifest).encode()})
    elif way == "more":
        repacked(file, members | {"../keys.passphrase": b"0" * 64})
    else:
        file.write_bytes(b"")

    refused = put_back(file, "--apply")

    assert refused.status == 1
    assert len(refused.complained.splitlines()) == 1
    assert not refused.settings.data.exists()


@pytest.mark.parametrize(
    "manifest",
    [
        lambda said: b"[" * 90_000,
        lambda said: json.dumps({**said, "rows": {"card": 1e999}}).encode(),
        lambda said: json.dumps({**said, "files": None}).encode(),
        lambda said: json.dumps({**said, "files": ["ring.sealed"]}).encode(),
    ],
    ids=["deep", "no number", "no files", "files that say nothing"],
)
def test_a_manifest_that_somebody_made_up_is_told_as_one(
    take, tools, founded, manifest
):
    file = take()
    members = members_of(file)
    made_up = manifest(json.loads(members["manifest.json"]))
    repacked(file, members | {"manifest.json": made_up})

    with pytest.raises(NotWhole), backup_archive.opened(file):
        pass


def test_another_passphrase_opens_nothing(take, put_back, tools, founded, tmp_path):
    other = tmp_path / "other.passphrase"
    other.touch(mode=0o600)
    other.write_text(keyfiles.new_passphrase())

    assert put_back(take(), "--with", str(other), "--apply").status == 1
    # but one of its own does
    own = tmp_path / "backups.passphrase"
    file = take("--to", str(tmp_path / "own.tar"), "--with", str(own))
    assert own.stat().st_mode & 0o777 == 0o600
    assert put_back(file, "--apply").status == 1
    assert put_back(file, "--with", str(own), "--apply").status == 0


def test_what_these_settings_cannot_serve_is_refused(
    take, put_back, place, tools, founded, postgres_url
):
    file = take()
    for name, value, word in (
        ("PUNCHPROOF_ORIGIN", "https://another.example", "PUNCHPROOF_ORIGIN"),
        ("DATABASE_URL", postgres_url, "DATABASE_URL"),
    ):
        where = place(name.lower())
        where.environ[name] = value
        refused = put_back(file, "--apply", into=where)
        assert (refused.status, word in refused.complained) == (2, True)
        assert not where.settings.data.exists()


def test_a_newer_ring_that_is_still_there_is_gone_on_from(
    take, put_back, place, environ, tools, founded, settings
):
    file = take()
    for words in (["create"], ["activate", "2"]):
        assert keys.main([*words, "--apply"], environ=environ) == 0
    where = place()
    for name in ("PUNCHPROOF_KEYS", "PUNCHPROOF_KEYS_PASSPHRASE_FILE"):
        where.environ[name] = environ[name]

    restored = put_back(file, "--apply", into=where)

    told = restored.told
    assert restored.status == 0, restored.complained
    assert (told["revoked"], told["key_id"]) == ([1, 2], 3)
    assert told["ring_was_there"]
    # and the ring of another shop is no older one of this
    other = place("another")
    keyfiles.create(
        other.settings.data / "keys",
        keyfiles.read_passphrase(settings.keys_passphrase_file),
        now=tools.now(),
    )
    other.environ["PUNCHPROOF_KEYS_PASSPHRASE_FILE"] = str(
        settings.keys_passphrase_file
    )
    assert put_back(file, "--apply", into=other).status == 2


# Paper


@pytest.mark.parametrize("decision", ["called back", "kept"])
@both_books
def test_paper_that_was_collected_since_is_not_collected_again_unseen(
    take, put_back, tools, make_card, opened, paper, decision
):
    # given paper, of which one stamp is collected before the backup and one after
    first, second, third = paper()
    card = make_card()
    stamping.collect(tools, first, card_id=card.card_id)
    file = take()
    stamping.collect(tools, second, card_id=card.card_id)

    with redis.Redis.from_url(tools.settings.redis_url) as store:
        # It would remember paper for an hour.
        store.flushall()
    words = ["--keep-paper"] if decision == "kept" else []
    restored = put_back(file, "--apply", *words)

    # then the two that look uncollected are told
    assert restored.status == 0, restored.complained
    assert [each["out"] for each in restored.told["paper"]] == [2]
    over = opened(restored)
    # and what was collected before is collected for ever
    with pytest.raises(CodeSpent):
        stamping.collect(over, first, card_id=members.join(over).card_id)
    if decision == "kept":
        stamping.collect(over, second, card_id=card.card_id)
        stamping.collect(over, third, card_id=card.card_id)
    else:
        for url in (second, third):
            with pytest.raises((CodeRevoked, CodeSpent)):
                stamping.collect(over, url, card_id=card.card_id)
    with over.database.read() as tx:
        row = tx.scalar(select(PrintedBatch))
        line = tx.scalar(
            select(AuditEntry.detail).where(AuditEntry.action == "books.restored")
        )
    assert (row.state, row.revoked_by) == (
        ("open", None) if decision == "kept" else ("revoked", None)
    )
    kept = decision == "kept"
    assert line["paper"] == {"kept": kept, "batches": 1, "out": 2}


# With real servers


@dataclasses.dataclass
class Shown:
    """A code that was shown before the restore, and where it is presented."""

    path: str
    body: dict[str, object]
    token: str


class Town:
    """Customers and a till at a running service."""

    def __init__(self, service: Service, tools: Tools, founded) -> None:
        self.client = service.client()
        self.terminal = enrol(self.client, tools, founded)
        self.till = sign_in(self.client, self.terminal, founded)
        self.anna = join(self.client)

    def post(self, path: str, body: object, token: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {token}"}
        return self.client.post(f"/api/v1{path}", json=body, headers=bearer)

    def made(self, path: str, body: object, token: str) -> dict:
        answer = self.post(path, body, token)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def card(self) -> str:
        return f"/cards/{self.anna['card_id']}"

    def stamp_by_scan(self, stamps: int = 1) -> Shown:
        """Anna shows her code, and the till scans it."""
        code = self.made(f"{self.card()}/code", None, self.anna["token"])["code"]
        scan = {"code": code, "stamps": stamps, "request_id": uuid4().hex}
        shown = Shown("/stamps", scan, self.till)
        self.made(shown.path, shown.body, shown.token)
        return shown

    def stamp_by_phone(self) -> Shown:
        """The till shows a code, and Anna's phone scans it."""
        code = self.made("/stamp-codes", {"stamps": 1}, self.till)["code"]
        shown = Shown(f"{self.card()}/stamps", {"code": code}, self.anna["token"])
        self.made(shown.path, shown.body, shown.token)
        return shown

    def redemption(self) -> Shown:
        held = self.client.get(
            f"/api/v1{self.card()}",
            headers={"Authorization": f"Bearer {self.anna['token']}"},
        ).json()["vouchers"][0]["voucher_id"]
        path = f"/vouchers/{held}/code"
        code = self.made(path, None, self.anna["token"])["code"]
        scan = {"code": code, "request_id": uuid4().hex}
        shown = Shown("/redemptions", scan, self.till)
        self.made(shown.path, shown.body, shown.token)
        return shown

    def by_paper(self, url: str) -> Shown:
        shown = Shown(f"{self.card()}/stamps", {"code": url}, self.anna["token"])
        self.made(shown.path, shown.body, shown.token)
        return shown

    def stamps(self) -> int:
        answer = self.client.get(
            f"/api/v1{self.card()}",
            headers={"Authorization": f"Bearer {self.anna['token']}"},
        )
        return answer.json()["stamps"]


@dataclasses.dataclass
class Lost:
    """A shop whose books are lost, and what is left of it."""

    town: Town
    founded: Founded
    file: Path
    #: Spent before the backup, and since.
    before: list[Shown]
    after: list[Shown]
    #: The nonce store's codes, as they were at the time of the backup.
    store: dict[bytes, bytes]


@pytest.fixture
def lost(tools, founded, settings, take, paper, tmp_path):
    """A shop that was open, backed up, open, and lost."""
    store = redis.Redis.from_url(settings.redis_url)
    with running(settings, workers=1, logs=tmp_path) as service:
        town = Town(service, tools, founded)
        before = [town.stamp_by_scan(5), town.stamp_by_scan(5)]
        on_paper = paper()
        code = town.made(f"{town.card()}/code", None, town.anna["token"])["code"]
        file = take()
        kept = {key: store.dump(key) for key in store.scan_iter("pp:*:code:*")}
        after = [town.stamp_by_scan() for _ in range(3)]
        after += [town.stamp_by_phone() for _ in range(3)]
        after += [town.redemption(), town.by_paper(on_paper[0])]
        # One that was issued before, and spent since.
        scan = {"code": code, "stamps": 1, "request_id": uuid4().hex}
        after.append(Shown("/stamps", scan, town.till))
        town.made("/stamps", scan, town.till)
    for key in store.scan_iter("pp:{workers}:*"):
        # The web server has ended; a report of it lives ten seconds.
        store.delete(key)
    store.close()
    yield Lost(town, founded, file, before, after, kept)
    town.client.close()


@both_books
def test_what_was_spent_after_the_backup_is_not_spent_again(
    lost, put_back, opened, tmp_path, counts
):
    town = lost.town
    restored = put_back(lost.file, "--apply")
    assert restored.status == 0, restored.complained

    with running(restored.settings, workers=2, logs=tmp_path) as service:
        # then whoever was at the till signs in once more
        town.client.base_url = service.url
        assert town.post("/stamp-codes", {"stamps": 1}, town.till).status_code == 401
        town.till = sign_in(town.client, town.terminal, lost.founded)
        other = join(town.client, "Bo")
        spent = [*lost.before, *lost.after]
        ways = [way for shown in spent for way in _ways(shown, town, other)]
        # and no code of before is good, whoever shows it, whatever the store remembers
        answers = []
        with redis.Redis.from_url(restored.settings.redis_url) as store:
            for memory in ("as it was", "stale", "empty"):
                if memory != "as it was":
                    store.flushall()
                for key, value in lost.store.items() if memory == "stale" else ():
                    store.restore(key, 60_000, value)
                answers += [town.post(way.path, way.body, way.token) for way in ways]
        accepted = sum(answer.is_success for answer in answers)
        counts(tried=len(answers), accepted=accepted)
        assert accepted == 0
        said = {answer.json()["code"] for answer in answers}
        assert said <= {"code_revoked", "code_unknown", "code_spent"}

        # but the honest customer's phone goes on from where the backup was
        assert town.stamps() == 0
        town.stamp_by_scan()
        town.stamp_by_phone()
        assert town.stamps() == 2
    assert proofs.prove(opened(restored)).findings == ()


def _ways(shown: Shown, town: Town, other: dict[str, str]) -> list[Shown]:
    """The same request, another of the same, and somebody else's."""
    if "request_id" in shown.body:
        fresh = {**shown.body, "request_id": uuid4().hex}
        return [
            dataclasses.replace(shown, token=town.till),
            Shown(shown.path, fresh, town.till),
        ]
    path = f"/cards/{other['card_id']}/stamps"
    return [shown, Shown(path, shown.body, other["token"])]
