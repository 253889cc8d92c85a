"""Which periods the lake's calls make up, and what each of them is made from."""

from __future__ import annotations

import ibis

from graph.calls import records
from graph.calls.records import MARGIN
from graph.calls.state import Inputs, digest
from lake.periods import Length, first_day, last_day, next_period, period_of
from lake.settings import Settings
from lake.tables import Lake


def fingerprints(lake: Lake, settings: Settings, inputs: Inputs) -> dict[str, str]:
    """Every period with call records, in order, with a digest of the records that it depends on.

    A period depends on the months that its days lie in, and, where records are parts or sides of calls, on the
    day before and after it: not on the rest of the neighbouring months. What is learned of a month is kept in
    `inputs`, so that an unchanged month is not read.
    """
    months = {}
    for month in lake.partitions("calls"):
        files = digest(lake.facts("calls", month), settings.period)
        facts = inputs.get("months", month)
        if not isinstance(facts, dict) or facts["files"] != files:
            facts = {"files": files, **_facts(lake, month, settings.period)}
            inputs.put("months", month, facts)
        months[month] = facts
    for month in set(inputs.keys("months")) - set(months):
        inputs.forget("months", month)
    return {
        period: digest(period, *_parts(period, months))
        for period in sorted({period for facts in months.values() for period in facts["periods"]})
    }


def _facts(lake: Lake, month: str, length: Length) -> dict[str, object]:
    rows = records.records(lake, [month])
    days = rows.select("day").distinct().order_by("day").to_pyarrow()["day"].to_pylist()
    cut = records.is_cut(lake, [month])
    edges = {}
    if cut:
        near = {"first": rows.day < first_day(month) + MARGIN, "last": rows.day > last_day(month) - MARGIN}
        for name, inside in near.items():
            edge = rows.filter(inside, rows.call.notnull() | rows.record.notnull())
            added = edge.aggregate(rows=edge.count(), sum=(_hash(edge) % 1_000_003).sum()).to_pyarrow().to_pylist()
            edges[name] = digest([[int(v or 0) for v in row.values()] for row in added])
    return {"periods": sorted({period_of(day, length) for day in days}), "edges": edges}


def _hash(rows: ibis.Table) -> ibis.Value:
    """One number a record, for sums that do not depend on the order of the records."""
    return ibis.struct({name: rows[name] for name in rows.columns}).hash()


def _parts(period: str, months: dict[str, dict]) -> list[object]:
    inside = [m for m in months if m <= f"{last_day(period):%Y-%m}" and next_period(m) > f"{first_day(period):%Y-%m}"]
    before = f"{first_day(period) - MARGIN:%Y-%m}"
    after = f"{last_day(period) + MARGIN:%Y-%m}"
    parts: list[object] = [[m, months[m]["files"]] for m in inside]
    for month, edge in ((before, "last"), (after, "first")):
        if month not in inside and edge in months.get(month, {}).get("edges", {}):
            parts.append([month, months[month]["edges"][edge]])
    return parts
