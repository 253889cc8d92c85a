"""The analysis of the call graph in order, each part repeated only when what it reads has changed."""

from __future__ import annotations

import time

from graph.calls import circles, contacts, lifetimes
from graph.calls.state import Inputs
from lake.clock import today
from lake.progress import working
from lake.settings import Settings
from lake.tables import Lake

TABLES = ("circles",)


def analyse(lake: Lake, settings: Settings) -> dict[str, object]:
    """Contacts, circles, communities and leaders from the lake's call records.

    Returns `{"periods": [...], "made": {table: periods computed}, "rows": {table: rows}, "seconds": {table: s}}`.
    A lake without calls gets none of the tables. Raises NotReady where the lake has calls and no customers.
    """
    made: dict[str, object] = {}
    seconds: dict[str, float] = {}
    started = time.monotonic()
    with working("contacts"):
        made["contacts"] = contacts.build(lake, settings)
    seconds["contacts"] = round(time.monotonic() - started, 3)
    periods = lake.partitions("contacts")
    inputs = Inputs(lake)
    if not periods:
        for name in TABLES:
            lake.drop(name)
            inputs.forget(name)
        inputs.save()
        return {"periods": [], "made": made, "seconds": seconds}
    customers = lifetimes.read(lake, settings.period, today(settings, lake))
    started = time.monotonic()
    with working("circles"):
        made["circles"] = circles.build(lake, customers, inputs)
    inputs.save()
    seconds["circles"] = round(time.monotonic() - started, 3)
    return {"periods": periods, "made": made, "seconds": seconds}
