"""The part of a load that translates: months whose visits, or the rules, are others than last time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake.engine import bounded
from lake.progress import working
from loaders.urls.coverage import coverage, unknown_hosts
from loaders.urls.month import translate_month
from loaders.urls.rules import Rules, compile_rules
from loaders.work import Work

VERSION = 1
"""Part of every month's mark: raised when the same visits and rules would give other rows."""

FACTS = b"translation"
"""Where `unknown_hosts` keeps the coverage, in its metadata."""


def translate(work: Work, staging: Path) -> None:
    """Stage `web_use` and `web_unknown` of the months that are due, and `unknown_hosts`; report the coverage."""
    months = _by_month(work.present("web_visits"))
    marks = _marks(work, list(months))
    before = work.inventory.translated
    due = [month for month in months if marks[month] != before.get(month)]
    gone = [month for month in before if month not in months]
    if due or gone:
        with working("translating visits"):
            _translate(work, staging, {month: months[month] for month in due}, gone)
        work.inventory.translated = marks
    else:
        work.report.translation = _known(work)


def _translate(work: Work, staging: Path, due: dict[str, list[Path]], gone: list[str]) -> None:
    rules = _rules(work)
    if rules.same:
        work.report.warnings.append(f"url_rules: {rules.same} patterns mean the same as another one and do not count")
    places = {table: f"lake/{table}/month={{}}/part-0.parquet" for table in ("web_use", "web_unknown")}
    with bounded(staging) as engine:
        for month, files in due.items():
            paths = {table: staging / place.format(month) for table, place in places.items()}
            translate_month(files, rules, engine, paths["web_use"], paths["web_unknown"])
        _take_away(work, staging, [place.format(month) for month in [*due, *gone] for place in places.values()])
        use, unknown = work.present("web_use"), work.present("web_unknown")
        work.report.translation = coverage(use, unknown, engine)
        hosts = unknown_hosts(unknown, engine)
    facts = json.dumps(work.report.translation).encode()
    path = staging / "lake" / "unknown_hosts.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(hosts.replace_schema_metadata({FACTS: facts}), path, compression="zstd")


def _take_away(work: Work, staging: Path, places: list[str]) -> None:
    """Parts that were not staged have no rows any more."""
    for place in places:
        if not (staging / place).exists() and work.root is not None and (work.root / place).exists():
            work.deletes.append(place)


def _by_month(files: list[Path]) -> dict[str, list[Path]]:
    months: dict[str, list[Path]] = {}
    for path in files:
        months.setdefault(path.parent.name.split("=", 1)[1], []).append(path)
    return months


def _marks(work: Work, months: list[str]) -> dict[str, str]:
    """A digest a month: of its files in force, and of the rules."""
    rules = [hashlib.sha256(path.read_bytes()).hexdigest() for path in work.present("url_rules")]
    in_force = work.inventory.in_force.get("web_visits", {})
    return {
        month: hashlib.sha256(json.dumps([VERSION, rules, sorted(in_force.get(month, []))]).encode()).hexdigest()[:32]
        for month in months
    }


def _rules(work: Work) -> Rules:
    paths = work.present("url_rules")
    if paths:
        return compile_rules(pq.read_table(paths[0]))
    return compile_rules(pa.table({name: pa.array([], pa.string()) for name in ("pattern", "app", "tag", "content")}))


def _known(work: Work) -> dict[str, Any] | None:
    """The coverage as it was found when something last changed."""
    paths = work.present("unknown_hosts")
    return json.loads(pq.read_schema(paths[0]).metadata[FACTS]) if paths else None
