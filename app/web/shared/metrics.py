"""What a Prometheus server reads: ``/metrics``, off unless a token is set.

All values are made at the scrape, from what all workers share (the books, the nonce
store, and what each worker reported a moment ago), so it does not matter which of
them answers and nothing has to be gathered from processes. A store that is away leaves
its values out and says so in ``punchproof_books_up`` and ``punchproof_nonce_store_up``.

Labels are key ids, states, ledger kinds and worker ids (host and process): no secret,
nobody's name. A scrape costs one count over the ledger and a few small questions.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime
from http import HTTPStatus

from flask import Response, abort, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from app.programme import alarms, backups, signals, totals
from app.programme.alarms import Watch
from app.programme.errors import StoreDown
from app.programme.totals import Figures
from app.settings import read_token
from app.tools import Tools
from app.web.shared import access
from app.web.shared.views import bp


@bp.get("/metrics")
def metrics() -> Response:
    """Give all values as text; 404 without a token file, 401 without its token."""
    tools = access.tools()
    file = tools.settings.metrics_token_file
    if file is None:
        abort(404)
    # Read anew each time, so that a changed token needs no restart.
    if not _is_allowed(read_token(file)):
        # Plain, so that no page and no cookie goes out.
        refused = Response("unauthenticated\n", HTTPStatus.UNAUTHORIZED)
        refused.mimetype = "text/plain"
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_AtTheScrape(tools))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


def _is_allowed(token: str | None) -> bool:
    scheme, _, said = request.headers.get("Authorization", "").partition(" ")
    if token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(said.strip().encode(), token.encode())


class _AtTheScrape(Collector):
    """Looks once, for one answer."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def collect(self) -> Iterable[Metric]:
        """Give every family of values that can be told now."""
        watch = alarms.look(self._tools)
        yield from _of_rings(watch, self._tools.now())
        yield from _of_workers(watch)
        if watch.workers is not None:
            yield _of_servers(self._tools)
        yield from _of_books(self._tools)
        yield _of_alarms(watch)


def _of_rings(watch: Watch, now: datetime) -> Iterator[Metric]:
    keys = GaugeMetricFamily(
        "punchproof_key_age_seconds",
        "Time since a signing key was made.",
        labels=("key", "state"),
    )
    secrets = GaugeMetricFamily(
        "punchproof_secret_age_seconds",
        "Time since a secret of sessions, links and issue records was made.",
        labels=("secret", "state"),
    )
    signing = GaugeMetricFamily(
        "punchproof_signing_key_age_seconds",
        "For how long the active key has signed.",
    )
    for held in watch.held:
        family = keys if held.kind == "key" else secrets
        age = (now - held.created_at).total_seconds()
        family.add_metric((str(held.number), held.state), age)
        if held.kind == "key" and held.state == "active":
            signing.add_metric((), (now - held.since).total_seconds())
    yield keys
    yield secrets
    yield signing


def _of_workers(watch: Watch) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "punchproof_nonce_store_up",
        "1 while the nonce store answers.",
        value=int(watch.workers is not None),
    )
    if watch.workers is None:
        return
    yield GaugeMetricFamily(
        "punchproof_workers", "Live web workers.", value=len(watch.workers)
    )
    yield GaugeMetricFamily(
        "punchproof_workers_behind",
        "Live web workers that do not have the newest key ring.",
        value=len(watch.behind),
    )
    problems = GaugeMetricFamily(
        "punchproof_ring_problem",
        "1 while a worker cannot read the key ring on its disk.",
        labels=("worker",),
    )
    rejected = CounterMetricFamily(
        "punchproof_ring_rejected",
        "Different contents of the key ring that a worker refused since it started.",
        labels=("worker",),
    )
    for worker in watch.workers:
        problems.add_metric((worker.worker_id,), int(worker.problem is not None))
        rejected.add_metric((worker.worker_id,), worker.rejected)
    yield problems
    yield rejected


def _of_servers(tools: Tools) -> Metric:
    return GaugeMetricFamily(
        "punchproof_nonce_store_servers_away",
        "Servers of the nonce store that give no answer while the others go on.",
        value=len(tools.nonces.warnings()),
    )


def _of_books(tools: Tools) -> Iterator[Metric]:
    up = "punchproof_books_up", "1 while the books answer."
    try:
        unissued = signals.total(tools, signals.UNISSUED)
        counts = totals.ledger_entries(tools)
        mail = totals.mail(tools)
        backup_at = backups.last_at(tools)
    except StoreDown:
        yield GaugeMetricFamily(*up, value=0)
        return
    yield GaugeMetricFamily(*up, value=1)
    yield CounterMetricFamily(
        "punchproof_unissued_codes",
        "Codes of good signature that were shown and that we never issued.",
        value=unissued,
    )
    entries = CounterMetricFamily(
        "punchproof_ledger_entries",
        "Entries of the ledger.",
        labels=("kind",),
    )
    for kind, count in counts.items():
        entries.add_metric((kind,), count)
    yield entries
    yield from _of_mail(mail, tools.now())
    backup = GaugeMetricFamily(
        "punchproof_backup_age_seconds",
        "Time since the last backup was finished; no value if there never was one.",
    )
    if backup_at is not None:
        backup.add_metric((), (tools.now() - backup_at).total_seconds())
    yield backup


def _of_mail(mail: Figures, now: datetime) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "punchproof_mail_waiting",
        "Mails in the outbox that are neither sent nor given up.",
        value=mail.waiting,
    )
    oldest = (now - mail.oldest_at).total_seconds() if mail.oldest_at else 0
    yield GaugeMetricFamily(
        "punchproof_mail_oldest_age_seconds",
        "Time since the mail that waits for longest was written; 0 if none waits.",
        value=max(0, oldest),
    )
    yield CounterMetricFamily(
        "punchproof_mail_given_up", "Mails that were given up.", value=mail.given_up
    )


def _of_alarms(watch: Watch) -> Metric:
    family = GaugeMetricFamily(
        "punchproof_alarm",
        "1 while an alarm stands.",
        labels=("code", "severity"),
    )
    standing = {alarm.code for alarm in watch.alarms}
    for code, severity in alarms.SEVERITY.items():
        family.add_metric((code, severity), int(code in standing))
    return family
