"""Reading one target after another, each in a process of its own, and counting.

The guide is libFuzzer, by way of atheris: modules that were imported within
``watched()`` tell it which branches an input took, and what takes a new one is bent
further. A target's process counts what it reads in memory that both sides see, and
writes each finding down at once, so that a reader that kills its process, hangs or eats
all memory has a line too.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Final, NoReturn

from scripts.fuzzing.bending import EDGES, bent
from scripts.fuzzing.catalogue import Target

#: Ours, and what reads on our behalf.
_WATCHED: Final = ["app", "signing", "scripts", "werkzeug", "itsdangerous", "tarfile"]
#: What is bent without a guide before it begins.
_BENT: Final = 2000
_LONGEST: Final = 20_000
_HANGS_AFTER_S: Final = 20
_MOST_MB: Final = 2048
_MOST_TOLD: Final = 20
#: libFuzzer's and ours.
_ENDED_WELL: Final = 0
_EDGES_SEEN: Final = re.compile(r"\bcov: (\d+)")
_ROOT: Final = Path(__file__).resolve().parents[2]
_COUNTER: Final = struct.Struct("=Q")


class NoGuide(Exception):
    """What guides cannot be had here; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reader raised that it does not document, and one input that does it."""

    what: str
    #: Module and line, in our code.
    place: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one target."""

    target: Target
    executions: int
    #: Branches seen; None without a guide.
    edges: int | None
    seconds: float
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is read; whichever of the two ends first."""

    is_guided: bool
    seconds: int | None = None
    runs: int | None = None


@contextmanager
def watched(*, is_guided: bool) -> Iterator[None]:
    """Import within it what is to tell the guide where it goes.

    Raises:
        NoGuide: atheris is not installed.
    """
    if not is_guided:
        yield
        return
    try:
        import atheris  # noqa: PLC0415
    except ImportError as error:
        raise NoGuide(
            "what guides is atheris, which its makers build for Linux on x86-64: pip "
            "install --requirement tests/requirements.txt installs it there. "
            "Elsewhere, --unguided reads seeds that are bent by chance"
        ) from error
    # It has a line for each module.
    with redirect_stderr(StringIO()), atheris.instrument_imports(include=_WATCHED):
        yield


def read_all(
    targets: Sequence[Target], plan: Plan, directory: Path
) -> Iterator[Result]:
    """Read every target, one after the other.

    Args:
        targets: which.
        plan: how much of each.
        directory: for what their processes write.
    """
    for target in targets:
        yield _read(target, plan, directory)


def replay(target: Target, data: bytes) -> Finding | None:
    """Read one input, in this process."""
    return _finding(target, data)


def _read(target: Target, plan: Plan, directory: Path) -> Result:
    """Read one target in a process of its own, and wait for its end."""
    began = time.monotonic()
    counter = mmap.mmap(-1, _COUNTER.size)
    found = directory / f"{target.name.replace(' ', '-')}.found"
    told = found.with_suffix(".told")
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _work(target, plan, counter, found, told)
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    said = told.read_text(errors="replace") if told.exists() else ""
    findings = _written(found)
    if ended != _ENDED_WELL:
        last = found.with_suffix(".last")
        data = last.read_bytes() if last.exists() else b""
        lines = [line for line in said.splitlines() if line.strip()]
        what = f"ended with {ended}: {' '.join(lines[-3:])[-300:]}"
        findings = (*findings, Finding(what, target.name, data))
    edges = [int(each) for each in _EDGES_SEEN.findall(said)]
    return Result(
        target=target,
        executions=_COUNTER.unpack_from(counter)[0],
        edges=max(edges, default=0) if plan.is_guided else None,
        seconds=time.monotonic() - began,
        findings=findings,
    )


def _written(found: Path) -> tuple[Finding, ...]:
    if not found.exists():
        return ()
    facts = [json.loads(line) for line in found.read_text().splitlines()]
    return tuple(
        Finding(each["what"], each["place"], bytes.fromhex(each["data"]))
        for each in facts
    )


def _work(
    target: Target, plan: Plan, counter: mmap.mmap, found: Path, told: Path
) -> NoReturn:
    """Be the process of one target."""
    status = 1
    try:
        stream = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for number in (1, 2):
            os.dup2(stream, number)
        seeds = list(target.seeds())
        one = _counted(target, counter, found)
        if plan.runs:
            plan = replace(plan, runs=max(1, plan.runs // target.one_of))
        if plan.is_guided:
            # Does not come back.
            _guide(one, target, seeds, plan, found)
        last = time.monotonic() + (plan.seconds or float("inf"))
        for data in bent(target.name, seeds, plan.runs or sys.maxsize):
            one(data)
            if time.monotonic() > last:
                break
        status = _ENDED_WELL
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _guide(
    one: Callable[[bytes], None],
    target: Target,
    seeds: Sequence[bytes],
    plan: Plan,
    found: Path,
) -> None:
    """Hand over to libFuzzer."""
    import atheris  # noqa: PLC0415

    corpus = found.with_suffix(".corpus")
    corpus.mkdir(exist_ok=True)
    bends = min(_BENT, (plan.runs or _BENT) // 2)
    for number, data in enumerate(bent(target.name, seeds, bends)):
        one(data)
        if number < len(seeds):
            (corpus / f"seed-{number}").write_bytes(data)
    words = found.with_suffix(".words")
    words.write_text("\n".join(map(_quoted, EDGES)) + "\n", encoding="ascii")
    flags = [
        f"-max_total_time={plan.seconds}" if plan.seconds else "",
        f"-runs={plan.runs}" if plan.runs else "",
        f"-dict={words}",
        f"-max_len={_LONGEST}",
        f"-timeout={_HANGS_AFTER_S}",
        f"-rss_limit_mb={_MOST_MB}",
        f"-exact_artifact_path={found.with_suffix('.last')}",
        "-seed=1",
        "-len_control=0",
        "-print_final_stats=1",
    ]
    atheris.Setup(
        [target.name, *filter(None, flags), str(corpus)],
        one,
        enable_python_coverage=True,
    )
    atheris.Fuzz()


def _quoted(word: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"'


def _counted(
    target: Target, counter: mmap.mmap, found: Path
) -> Callable[[bytes], None]:
    """Make of a target what reads, counts, and writes each finding down once."""
    seen: set[tuple[str, str]] = set()
    read = 0

    def one(data: bytes) -> None:
        nonlocal read
        read += 1
        _COUNTER.pack_into(counter, 0, read)
        finding = _finding(target, data)
        if finding is None:
            return
        key = (finding.what.partition(":")[0], finding.place)
        if key in seen or len(seen) >= _MOST_TOLD:
            return
        seen.add(key)
        line = {"what": finding.what, "place": finding.place, "data": data.hex()}
        with found.open("a") as file:
            file.write(json.dumps(line) + "\n")

    return one


def _finding(target: Target, data: bytes) -> Finding | None:
    try:
        target.read(data)
    except target.allowed:
        return None
    except Exception as error:
        return Finding(
            f"{type(error).__name__}: {str(error)[:200]}", _place(error), data
        )
    return None


def _place(error: BaseException) -> str:
    """Name the last line of ours that an error went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_ROOT)]
    inner = [frame for frame in ours if "fuzzing" not in frame.filename] or ours
    if not inner:
        return "nowhere"
    path = Path(inner[-1].filename).relative_to(_ROOT)
    return f"{path}:{inner[-1].lineno}"
