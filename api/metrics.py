"""What Prometheus reads: requests by route and status, their time, answers recorded, the snapshot in use.

With several workers `PROMETHEUS_MULTIPROC_DIR` is set (by `api.server`) and the numbers are those of all.
"""

from __future__ import annotations

import os
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("dumbbell_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "dumbbell_request_seconds",
    "Time to answer a request",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0),
)
ITEMS = Counter("dumbbell_items", "Items that matches answered", ["kind"])
RESPONSES = Counter("dumbbell_responses", "Customers' answers recorded", ["outcome"])
SWAPS = Counter("dumbbell_state_loads", "Times that lake and snapshot were taken up", ["outcome"])
MISSING = Gauge("dumbbell_lists_missing", "Customers whose list of apps is not made ahead yet", multiprocess_mode="max")
LOADED_AT = Gauge("dumbbell_state_loaded_at_seconds", "When the state in use was loaded", multiprocess_mode="max")


@cache
def _items(kind: str) -> Counter:
    return ITEMS.labels(kind)


def shown(kind: str, items: int) -> None:
    """Count the items of a match."""
    _items(kind).inc(items)


@cache
def _of(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(route)


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request. Method, route and status are words of ours, not a caller's: each is kept."""
    count, took = _of(method, route, status)
    count.inc()
    took.observe(seconds)


def exposition() -> tuple[bytes, str]:
    """All figures in Prometheus' text form, and its media type."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
