"""What is in scripts/deploy/ names things that there are, and says what the code needs.

No container is built here: what it would run is looked for in the tree, units are read
by systemd where there is one. Proxies run in ``test_deployed_proxies``.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app import create_app
from app.settings import VARIABLES, Settings
from scripts.parts import doctor_machine, serving
from scripts.parts.environment import ROOT
from scripts.parts.webserver import Warnings

DEPLOY = ROOT / "scripts" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
#: Where the units have the project.
HOME = "/srv/punchproof/"
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "RestrictSUIDSGID": "yes",
    "SystemCallFilter": "@system-service",
    "User": "punchproof",
    "UMask": "0077",
}


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(path.read_text())
    return read


def text(name: str) -> str:
    return (DEPLOY / name).read_text()


def bare(name: str) -> list[str]:
    """The lines of a file without comments."""
    lines = (line.strip() for line in text(name).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def braces_close(lines: list[str]) -> bool:
    """Whether what is opened is closed, in order."""
    depth = 0
    for line in lines:
        depth += line.endswith("{") - (line == "}" or line.endswith("; }"))
        depth += len(re.findall(r"\{ ", line))
        assert depth >= 0, line
    return depth == 0


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_is_hardened_and_runs_what_there_is(path):
    service = unit(path)["Service"]

    assert {name: service.get(name) for name in HARDENED} == HARDENED
    command = service["ExecStart"].split()
    assert command[0] == f"{HOME}.venv/bin/python"
    assert command[1] == "-m" or (ROOT / command[1].removeprefix(HOME)).is_file()
    assert unit(DEPLOY / "punchproof-web.service")["Service"]["KillMode"] == "mixed"
    documents = unit(path)["Unit"]["Documentation"].removeprefix(f"file://{HOME}")
    assert (ROOT / documents).is_file()


def test_systemd_understands_the_units(tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        # Not on this machine: what is above has to do.
        return
    for path in (*UNITS, *DEPLOY.glob("*.timer")):
        # Where the project is not installed there is no program to be found.
        here = path.read_text().replace(f"{HOME}.venv/bin/python", "/bin/true")
        (tmp_path / path.name).write_text(here)

    done = subprocess.run(
        [program, "verify", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in done.stderr.splitlines() if "punchproof" in line]
    assert ours == []


def test_the_commands_of_the_units_take_their_words():
    web = unit(DEPLOY / "punchproof-web.service")["Service"]["ExecStart"].split()
    assert serving._options(web[2:]).no_mail


def test_every_setting_that_is_named_is_one():
    lines = bare("punchproof.env")
    lines += [line.lstrip("#") for line in text("punchproof.env").splitlines()]
    named = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    named |= dict(
        re.findall(
            r"^ +(PUNCHPROOF_\w+|\w+_URL\w*): (.+)$", text("compose.yaml"), re.MULTILINE
        )
    )
    named |= dict(re.findall(r"(PUNCHPROOF_\w+)=(\S+)", text("Dockerfile")))
    # Of the samples themselves.
    of_caddy = {"PUNCHPROOF_DOMAIN", "PUNCHPROOF_UPSTREAM"}

    assert set(named) > {"PUNCHPROOF_ORIGIN", "REDIS_URL", "DATABASE_URL_FILE"}
    left = {name: value for name, value in named.items() if name not in of_caddy}
    assert list(doctor_machine.unknown(left)) == []
    known = {one.name for one in VARIABLES}
    known |= {f"{name}_FILE" for name in known} | {"PUNCHPROOF_VENV"}
    assert set(left) <= known


def test_the_sample_of_settings_can_be_read():
    named = dict(line.split("=", 1) for line in bare("punchproof.env"))

    read = Settings.from_env(named)

    assert (read.is_secure, read.proxy_hops) == (True, 1)


def test_the_image_copies_and_runs_what_there_is():
    lines = bare("Dockerfile")
    kept = [
        line[1:] for line in bare("Dockerfile.dockerignore") if line.startswith("!")
    ]
    copied = [
        word
        for line in lines
        if line.startswith("COPY ")
        for word in line.split()[1:-1]
    ]

    assert copied
    assert all((ROOT / word).exists() for word in copied)
    # What is not let into the context cannot be copied, and no data gets into it.
    assert set(copied) == set(kept)
    assert bare("Dockerfile.dockerignore")[0] == "*"
    assert "USER punchproof" in lines
    assert lines.index("USER punchproof") < lines.index('VOLUME ["/data", "/backups"]')
    assert any("--require-hashes" in line for line in lines)
    assert (
        ROOT / re.findall(r'CMD \["python", "(scripts/[^"]+)"', text("Dockerfile"))[0]
    ).is_file()
    needed = re.search(r"^FROM python:([\d.]+)-slim", text("Dockerfile"), re.MULTILINE)
    assert needed
    assert needed[1] >= "3.11"
    assert "tzdata" in text("Dockerfile")


def test_the_compose_file_runs_what_there_is_and_keeps_what_is_spent():
    said = text("compose.yaml")

    programs = re.findall(r"command: \[python, (?:-m, )?([\w./]+)", said)
    assert len(programs) == 4
    for program in programs:
        path = program if "/" in program else f"{program.replace('.', '/')}/__main__.py"
        assert (ROOT / path).is_file(), program
    assert "\t" not in said
    assert re.search(r'--appendonly\n +- "yes"', said)
    assert "noeviction" in said
    assert "read_only: true" in said
    assert "cap_drop: [ALL]" in said
    # Every volume and secret that is used is declared.
    for name in re.findall(r"- (\w+):/", said) + re.findall(
        r'volumes: \["(\w+):', said
    ):
        assert re.search(rf"^  {name}:$", said, re.MULTILINE), name
    lists = re.findall(r"secrets: \[([\w, ]+)\]", said)
    for name in {name for each in lists for name in each.split(", ")}:
        assert re.search(rf"^  {name}: {{file:", said, re.MULTILINE), name


def test_what_nginx_tells_is_what_the_application_hears(tools, founded, make_tools):
    lines = bare("nginx.conf")
    told = dict(re.findall(r"proxy_set_header (\S+) (\S+);", text("nginx.conf")))
    values = {
        "$host": "stamps.example",
        "$remote_addr": "203.0.113.9",
        "$scheme": "https",
        "$request_id": "0123456789abcdef0123456789abcdef",
        '""': "",
    }
    headers = {name: values[value] for name, value in told.items()}
    over = create_app(make_tools(origin="https://stamps.example", proxy_hops=1))

    answer = over.test_client().get("/join", headers=headers)

    assert braces_close(lines)
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"]
    assert answer.headers["X-Request-ID"] == values["$request_id"]
    # Set and not added to, so that a browser's own word for itself is thrown away.
    assert told["X-Forwarded-For"] == "$remote_addr"
    assert "proxy_next_upstream off;" in lines
    # No address in a log of its: they hold codes.
    assert not re.search(
        r"\$request(_uri)?\b(?!_)", text("nginx.conf").split("server {")[0]
    )


def test_caddy_lets_as_much_through_as_the_application_takes():
    lines = bare("Caddyfile")

    assert braces_close(
        [line for line in lines if "{$" not in line or line.endswith("{")]
    )
    assert "reverse_proxy {$PUNCHPROOF_UPSTREAM:127.0.0.1:8000} {" in lines
    assert "exclude http.log.access http.log.error" in lines
    assert "max_size 128KB" in lines


def test_proxies_pass_no_page_that_only_machines_ask_for():
    for name in ("nginx.conf", "Caddyfile"):
        assert "/metrics" in text(name)
        assert "/readyz" in text(name)


def test_a_log_that_was_copied_and_cut_is_followed_on(tmp_path):
    log, told = tmp_path / "serve.log", []
    log.write_text("")
    warnings = Warnings(log, told.append)
    line = '{"level": "error", "event": "alarm", "code": "%s"}\n'

    with log.open("a") as server:
        server.write(line % "first" * 3)
        server.flush()
        warnings.pass_on()
        # as copytruncate does, while the server has it open
        os.truncate(log, 0)
        warnings.pass_on()
        server.write(line % "second")
        server.flush()
        warnings.pass_on()

    assert len(told) == 4
    assert "second" in told[-1]
    assert "copytruncate" in text("punchproof.logrotate")
