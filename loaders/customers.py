"""The `customers` table: every number that any feed names, with its row of `users`, and former holders beside.

Event tables grow with time, so that the numbers they name are kept by month (`numbers/month=…`), and only the
months that a load touches are looked through again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lake import successions
from lake.engine import bounded
from lake.tables import NUMBERS, Lake
from loaders import accounts
from loaders.feeds import FEEDS
from loaders.work import Work

SCHEMA = pa.schema([pa.field("user", pa.binary()), pa.field("off_net", pa.bool_()), *list(FEEDS["users"].schema)[1:]])
COLUMNS = {feed.name: [c.lake_name for c in feed.columns if c.type == "number"] for feed in FEEDS.values()}
"""The columns of each lake table that hold numbers."""

ROWS = 1 << 20
"""Rows of a row group of `customers`, made at once."""

Named = tuple[Path, list[str]]
"""A file, and its columns of numbers."""


def take(work: Work) -> None:
    """Stage `numbers`, `customers` and `successions` where a table with numbers changed."""
    if work.lake is None or work.staging is None:
        return
    keyed = [name for name, columns in COLUMNS.items() if columns and not FEEDS[name].event]
    changed = any(work.present(name) != work.lake.files(name) for name in keyed)
    if not _numbers(work, work.lake, work.staging) and not changed and work.lake.has("customers"):
        return
    named = [(path, COLUMNS[name]) for name in keyed for path in work.present(name)]
    named += [(path, ["user"]) for path in work.present(NUMBERS)]
    users = work.present("users")
    frame = pl.DataFrame(pq.read_table(users[0])) if users else None
    former = successions.SCHEMA.empty_table()
    if frame is not None:
        frame, former = accounts.customers(frame, work.pseudonyms)
    path = work.staging / "lake" / "customers.parquet"
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for table in with_rows(numbers(work.staging, named), frame):
            writer.write_table(table, row_group_size=ROWS)
    if former.num_rows:
        work.stage(f"{successions.NAME}.parquet", former)
    elif work.lake.has(successions.NAME):
        work.deletes.append(f"lake/{successions.NAME}.parquet")


def _numbers(work: Work, lake: Lake, staging: Path) -> bool:
    """Stage the numbers of the months whose events changed; whether there are any."""
    files: dict[str, list[Named]] = {}
    before: dict[str, list[Path]] = {}
    for name, columns in COLUMNS.items():
        if FEEDS[name].event:
            for path in work.present(name):
                files.setdefault(_month(path), []).append((path, columns))
            for path in lake.files(name):
                before.setdefault(_month(path), []).append(path)
    known = set(lake.partitions(NUMBERS))
    stale = [m for m, named in files.items() if m not in known or [path for path, _ in named] != before.get(m)]
    for month in sorted(stale):
        work.stage(_part(month), numbers(staging, files[month]))
    gone = sorted(known - set(files))
    work.deletes += [f"lake/{_part(month)}" for month in gone]
    return bool(stale or gone)


def _month(path: Path) -> str:
    return path.parent.name.partition("=")[2]


def _part(month: str) -> str:
    return f"{NUMBERS}/month={month}/part-0.parquet"


def numbers(staging: Path, named: list[Named]) -> pa.Table:
    """The numbers that some files name, each once, sorted: `user`."""
    schema = pa.schema([("user", pa.binary())])
    if not named:
        return schema.empty_table()
    with bounded(staging) as engine:
        parts = [
            engine.files([path for path, own in named if own == columns]).select(user=column)
            for columns in {tuple(own): own for _, own in named}.values()
            for column in columns
        ]
        union = parts[0].union(*parts[1:], distinct=True) if len(parts) > 1 else parts[0].distinct()
        found = union.to_pyarrow()
    return pl.DataFrame(found).drop_nulls().sort("user").to_arrow().cast(schema)


def with_rows(named: pa.Table, users: pl.DataFrame | None) -> Iterator[pa.Table]:
    """One row a known number or former customer, sorted by `user`, in tables of `ROWS` rows.

    `users` has a row a customer, None without such a feed. Numbers without a row of `users` are off-net, unless there
    is no such feed at all. Defaults of `users` are filled in for all.
    """
    known = pl.DataFrame(FEEDS["users"].schema.empty_table()) if users is None else users
    known = known.with_columns(off_net=pl.lit(False))
    everyone = pl.concat([pl.DataFrame(named), known.select("user")]).unique().sort("user")
    defaults = [pl.col(c.lake_name).fill_null(c.default) for c in FEEDS["users"].columns if c.default is not None]
    for some in everyone.iter_slices(ROWS):
        joined = some.join(known, on="user", how="left", maintain_order="left").with_columns(
            pl.col("off_net").fill_null(users is not None), *defaults
        )
        yield joined.select(SCHEMA.names).to_arrow().cast(SCHEMA).combine_chunks()
