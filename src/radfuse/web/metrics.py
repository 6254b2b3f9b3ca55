"""What is measured, in the text format of Prometheus."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from radfuse.archive import Archive
from radfuse.archive.queries import totals

_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
_COUNTED_EVERY_S: Final = 15.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """One request that has ended."""

    method: str
    route: str
    """Its template, never the path: a path holds UIDs."""
    status: int
    seconds: float
    received_bytes: int
    sent_bytes: int
    kept: int = 0
    """Objects that it stored."""
    refused: int = 0
    """Objects that it brought and that were not stored."""


class Metrics:
    """The measures of one web process."""

    def __init__(self, archives: Mapping[str, Archive], job_totals: Callable[[], Mapping[str, int]] | None) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        kept = _Kept(archives, job_totals)
        self._registry.register(kept)
        registry = self._registry
        by_route = ("method", "route")
        self._requests = Counter(
            "radfuse_http_requests", "HTTP requests by route and status", (*by_route, "status"), registry=registry
        )
        self._seconds = Histogram(
            "radfuse_http_request_seconds",
            "From a request's head to the end of its response",
            by_route,
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._received = Counter("radfuse_http_received_bytes", "Bytes of request bodies", by_route, registry=registry)
        self._sent = Counter("radfuse_http_sent_bytes", "Bytes of response bodies", by_route, registry=registry)
        self._objects = Counter(
            "radfuse_http_objects",
            "Objects that came over HTTP",
            ("result",),
            registry=registry,
        )
        for result in ("kept", "refused"):
            self._objects.labels(result)
        self.running = Gauge("radfuse_http_requests_running", "HTTP requests under way", registry=registry)

    def count(self, request: Measured) -> None:
        """Add one request."""
        self._requests.labels(request.method, request.route, request.status).inc()
        self._seconds.labels(request.method, request.route).observe(request.seconds)
        self._sent.labels(request.method, request.route).inc(request.sent_bytes)
        if request.received_bytes:
            self._received.labels(request.method, request.route).inc(request.received_bytes)
        if request.kept or request.refused:
            self._objects.labels("kept").inc(request.kept)
            self._objects.labels("refused").inc(request.refused)

    def as_text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


class _Kept(Collector):
    """What lies in the archives and the job queue, counted when it is asked for, but not all the time."""

    def __init__(self, archives: Mapping[str, Archive], job_totals: Callable[[], Mapping[str, int]] | None) -> None:
        self._archives = archives
        self._job_totals = job_totals
        self._counted: list[Metric] = []
        self._counted_at_s = -_COUNTED_EVERY_S

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering counts nothing yet."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """The counts; what cannot be read is left out."""
        now = time.monotonic()
        if now - self._counted_at_s >= _COUNTED_EVERY_S:
            self._counted_at_s, self._counted = now, list(self._count())
        yield from self._counted

    def _count(self) -> Iterator[Metric]:
        kept = GaugeMetricFamily("radfuse_kept", "What the archive keeps", labels=("database", "level"))
        jobs = GaugeMetricFamily("radfuse_jobs", "Jobs by state", labels=("state",))
        try:
            for name, archive in self._archives.items():
                with archive.reading() as connection:
                    for level, count in totals(connection).items():
                        kept.add_metric((name, level), count)
            for state, count in self._job_totals().items() if self._job_totals is not None else ():
                jobs.add_metric((state,), count)
        except Exception:
            _log.exception("not everything could be counted for the metrics")
        yield from (kept, jobs)
