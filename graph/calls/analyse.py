"""The analysis of the call graph in order, each part repeated only when what it reads has changed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from graph.calls import circles, communities, contacts, leaders, lifetimes
from graph.calls.forecasts import churn, features, movement, reports, scores
from graph.calls.places import build as places
from graph.calls.returning import build as returning
from graph.calls.state import Inputs
from lake.clock import today
from lake.progress import working
from lake.settings import Settings
from lake.tables import Lake

STEPS: dict[str, Callable[[Lake, lifetimes.Customers, Inputs], object]] = {
    "circles": circles.build,
    "communities": communities.build,
    "leaders": leaders.build,
    "places": places.build,
    "movement": movement.build,
    "features": features.build,
    "churn": churn.build,
    "scores": scores.build,
    "returning": returning.build,
}


MEMORY_MB = 2_000
"""What the engine may hold at once in a step; the rest waits on disk, beside the lake's tables."""


@contextmanager
def bounded(lake: Lake) -> Iterator[Lake]:
    """The lake for one step: with an engine of bounded memory, and none of it left to the steps that follow."""
    with tempfile.TemporaryDirectory(dir=lake.root, prefix=".analyse-") as folder:
        own = Lake(lake.root, Path(folder), MEMORY_MB)
        try:
            yield own
        finally:
            own.close()
            pa.default_memory_pool().release_unused()


def analyse(lake: Lake, settings: Settings) -> dict[str, Any]:
    """Contacts, circles, communities, leaders, places, forecasts and returning customers from the call records.

    Returns `periods` (all that have contacts), `made` (of each table the periods that were computed; of tables
    without periods whether they were), `seconds` (of each step) and `reports` (how good the models of `churn` and
    `scores` were when they were tested). Where nothing changed, nothing is computed. A lake without calls loses the
    tables. Raises NotReady where the lake has calls and no customers.
    """
    made: dict[str, object] = {}
    seconds: dict[str, float] = {}

    def run(name: str, step: Callable[[], object]) -> None:
        started = time.monotonic()
        with working(name):
            made[name] = step()
        seconds[name] = round(time.monotonic() - started, 3)

    run("contacts", lambda: contacts.build(lake, settings))
    periods = lake.partitions("contacts")
    inputs = Inputs(lake)
    if periods:
        customers = lifetimes.read(lake, settings.period, today(settings, lake))
        for name, step in STEPS.items():
            with bounded(lake) as own:
                run(name, lambda step=step, own=own: step(own, customers, inputs))  # type: ignore[misc]
            inputs.save()
    else:
        for name in STEPS:
            lake.drop(name)
            inputs.forget(name)
        reports.drop(lake)
        inputs.save()
    return {"periods": periods, "made": made, "seconds": seconds, "reports": reports.kept(lake)}
