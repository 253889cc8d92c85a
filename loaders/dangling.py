"""Identifiers that no row of their own feed names: fine in the graph, and counted in the report."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow.parquet as pq

from loaders.feeds import FEEDS
from loaders.reading import distinct
from loaders.work import Work


def count(work: Work, feeds: Iterable[str]) -> None:
    """Count, for each of these feeds and columns, the identifiers in its table without a row of their own."""
    for name in feeds:
        for column in FEEDS[name].columns:
            if column.of is None:
                continue
            named = set(work.references.get(name, {}).get(column.name, ()))
            for path in work.present(name):
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(columns=[column.lake_name]):
                        named |= distinct(batch.column(0))
            missing = named - names(work, column.of)
            if missing:
                work.counts(name).dangling[column.name] = len(missing)


def names(work: Work, feed: str) -> set[str]:
    """The identifiers that a feed's own rows name."""
    if feed not in work.names:
        paths = work.present(feed)
        key = FEEDS[feed].key[0]
        work.names[feed] = distinct(pq.read_table(paths[0], columns=[key]).column(0)) if paths else set()
    return work.names[feed]
