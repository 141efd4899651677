"""The nonce store on a cluster: codes are spread over nodes, and counted on all."""

from __future__ import annotations

import secrets
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
from redis.cluster import ClusterNode, RedisCluster

from app.store.nonces import ClaimState, Nonces, Outstanding
from scripts.parts import redis_server
from tests.running import free_port

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
PATIENCE_S = 20
#: The slots of each node.
HALVES = ((0, 8191), (8192, 16383))


@pytest.fixture
def ports(tmp_path):
    """Two nodes, of which each holds half of the slots."""
    ports = [free_port() for _ in HALVES]
    nodes = [start(port, tmp_path / str(port)) for port in ports]
    try:
        join(ports)
        yield ports
    finally:
        for node in nodes:
            node.kill()
            node.wait()


def start(port, directory):
    directory.mkdir()
    words = (
        f"--port {port} --cluster-port {free_port()} --bind 127.0.0.1 "
        f"--cluster-enabled yes --appendonly no --dir {directory} --save"
    )
    return subprocess.Popen(
        [redis_server.find_server(), *words.split(), ""], stdout=subprocess.DEVNULL
    )


def join(ports):
    clients = [redis.Redis(port=port) for port in ports]
    for client, (first, last) in zip(clients, HALVES, strict=True):
        until(lambda client=client: answers(client))
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
    first, second = clients
    bus = second.config_get("cluster-port")["cluster-port"]
    first.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[1], bus)
    for client in clients:
        until(lambda client=client: client.cluster("INFO")["cluster_state"] == "ok")
        client.close()


def answers(client):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def until(is_so):
    last = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < last
        time.sleep(0.1)


def test_codes_on_every_node_are_spent_and_counted(ports):
    nodes = [ClusterNode("127.0.0.1", port) for port in ports]
    with RedisCluster(startup_nodes=nodes) as client:
        nonces = Nonces(client)
        end = (datetime.now(UTC) + HOUR).replace(microsecond=0)
        codes = [secrets.token_bytes(9) for _ in range(200)]
        for code in codes:
            nonces.issue(code, {}, keep=HOUR, key_id=1, not_after=end)
        for code in codes[:50]:
            assert nonces.claim(code, "anna").state is ClaimState.CLAIMED
            nonces.settle(code, "anna", "stamp", keep=HOUR)

        assert nonces.outstanding(1, datetime.now(UTC)) == Outstanding(150, end)
        assert nonces.outstanding(2, datetime.now(UTC)) == Outstanding(0, None)
        # and both nodes have some of them
        for port in ports:
            with redis.Redis(port=port) as node:
                assert node.dbsize() > 0
