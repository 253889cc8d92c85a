"""Bring nodes and edges of one kind to what a table says: create, change, remove the difference and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from graph.frames import frame_of, lists_of, shown, stored, to_wire
from graph.store import Store
from graph.wanted import WHOLE, Wanted, bounds_of
from lake.errors import EngineError, EngineUnavailable
from lake.progress import track

BATCH = 10_000
RANGE_ROWS = 250_000
"""Rows compared at a time: kinds that start at users are done in ranges of their (evenly spread) pseudonyms."""
READ_S = 3600.0
ROUNDS = 3


@dataclass(frozen=True)
class Change:
    """How many nodes or edges were created, changed and removed."""

    created: int = 0
    changed: int = 0
    removed: int = 0

    def __add__(self, other: Change) -> Change:
        return Change(self.created + other.created, self.changed + other.changed, self.removed + other.removed)


@dataclass(frozen=True)
class Kind:
    """The Cypher of one kind of node or edge; every query reads `$rows` of lists in the order of the columns."""

    name: str
    keys: tuple[str, ...]
    """Columns that tell one from another; the first is the pseudonym when `by_user`."""
    columns: pa.Schema
    count: str
    """How many there may be; 0 spares the reading."""
    read: str
    create: str
    change: str
    remove: str
    by_user: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of the conditions in the queries."""


def node_kind(label: str, key: str, columns: pa.Schema, *, keep: str = "") -> Kind:
    """Nodes of a label; the key is the first of `columns`. `keep` is a condition on `n` of nodes never to remove."""
    names = [name for name in columns.names if name != key]
    values = {name: stored(columns.field(name).type, f"row[{i}]") for i, name in enumerate(columns.names)}
    sets = ", ".join(f"n.{name} = {values[name]}" for name in names)
    merge = (
        f"UNWIND $rows AS row MERGE (n:{label} {{{key}: row[0]}}) {'SET ' + sets if sets else ''} RETURN count(n) AS n"
    )
    by_user = label == "User"
    back = ", ".join(f"{shown(columns.field(name).type, f'n.{name}')} AS {name}" for name in columns.names)
    return Kind(
        name=label,
        keys=(key,),
        columns=columns,
        count=f"MATCH (n:{label}) RETURN count(n) AS n",
        read=f"MATCH (n:{label}) {_range('n', key) if by_user else ''} RETURN {back}",
        create=merge,
        change=merge,
        remove=f"UNWIND $rows AS row MATCH (n:{label} {{{key}: row[0]}}) {f'WHERE NOT {keep}' if keep else ''} "
        "DETACH DELETE n RETURN count(*) AS n",
        by_user=by_user,
    )


def property_kind(label: str, key: str, columns: pa.Schema) -> Kind:
    """Properties of nodes that are there already: none is created or removed."""
    values = {name: stored(columns.field(name).type, f"row[{i}]") for i, name in enumerate(columns.names)}
    sets = ", ".join(f"n.{name} = {values[name]}" for name in columns.names if name != key)
    change = f"UNWIND $rows AS row MATCH (n:{label} {{{key}: row[0]}}) SET {sets} RETURN count(n) AS n"
    back = ", ".join(f"{shown(columns.field(name).type, f'n.{name}')} AS {name}" for name in columns.names)
    return Kind(
        name=f"{label} properties",
        keys=(key,),
        columns=columns,
        count=f"MATCH (n:{label}) RETURN count(n) AS n",
        read=f"MATCH (n:{label}) {_range('n', key) if label == 'User' else ''} RETURN {back}",
        create="",
        change=change,
        remove="",
        by_user=label == "User",
    )


def edge_kind(
    name: str,
    start: tuple[str, str],
    end: tuple[str, str],
    columns: pa.Schema,
    *,
    identity: tuple[str, ...] = (),
    only: str = "",
    parameters: Mapping[str, Any] | None = None,
) -> Kind:
    """Edges `(start)-[name]->(end)`, of (label, key) each; the first two `columns` are the ends' keys.

    `identity` names the properties that tell parallel edges apart; `only` is a condition on `r` (with `parameters`) for
    the edges that this kind owns, as others of the same type are none of its business.
    """
    ends = f"(a:{start[0]} {{{start[1]}: row[0]}}) MATCH (b:{end[0]} {{{end[1]}: row[1]}})"
    properties = columns.names[2:]
    values = {name: stored(columns.field(name).type, f"row[{i}]") for i, name in enumerate(columns.names)}
    made = ", ".join(f"{p}: {values[p]}" for p in properties)
    same = " AND ".join([f"r.{p} = {values[p]}" for p in identity] + ([only] if only else []))
    found = f"UNWIND $rows AS row MATCH {ends} MATCH (a)-[r:{name}]->(b) {'WHERE ' + same if same else ''}"
    sets = ", ".join(f"r.{p} = {values[p]}" for p in properties if p not in identity)
    by_user = start[0] == "User"
    where = " AND ".join(([_in_range("a", start[1])] if by_user else []) + ([only] if only else []))
    back = [f"a.{start[1]}", f"b.{end[1]}"] + [shown(columns.field(p).type, f"r.{p}") for p in properties]
    return Kind(
        name=name,
        keys=(*columns.names[:2], *identity),
        columns=columns,
        count=f"MATCH ()-[r:{name}]->() RETURN count(r) AS n",
        read=f"MATCH (a:{start[0]})-[r:{name}]->(b:{end[0]}) {'WHERE ' + where if where else ''} RETURN "
        + ", ".join(f"{value} AS {column}" for value, column in zip(back, columns.names, strict=True)),
        create=f"UNWIND $rows AS row MATCH {ends} CREATE (a)-[:{name} {{{made}}}]->(b) RETURN count(*) AS n",
        change=f"{found} SET {sets} RETURN count(*) AS n" if sets else "",
        remove=f"{found} DELETE r RETURN count(*) AS n",
        by_user=by_user,
        parameters=parameters or {},
    )


def _in_range(node: str, key: str) -> str:
    return f"{node}.{key} >= $low AND {node}.{key} < $high"


def _range(node: str, key: str) -> str:
    return f"WHERE {_in_range(node, key)}"


def sync(store: Store, kind: Kind, wanted: pa.Table | Wanted, *, is_new: bool = False) -> Change:
    """Make the graph's nodes or edges of `kind` those of `wanted` (its columns are the kind's, sorted by the first).

    What may not fit into memory comes as `Wanted`, piece by piece. Into an empty graph, and where it is known to have
    none yet (`is_new`: a period's first load), edges are created without looking. Should a batch have been repeated
    after a lost connection, the count shows it, and the difference is taken again. Raises EngineError where an edge's
    end is missing.
    """
    pieces = Wanted(wanted) if isinstance(wanted, pa.Table) else wanted
    total = Change()
    for attempt in range(ROUNDS):
        before = _count(store, kind)
        has_none = not before or (is_new and not attempt)
        change = Change()
        for first, last, piece in pieces:
            share = 0 if has_none else before
            for low, high, part in ranges(piece, share, first, last) if kind.by_user else [("", "", piece)]:
                frame = to_wire(part)
                limits = {"low": low, "high": high, **kind.parameters} if kind.by_user else kind.parameters
                there = frame.clear() if has_none else _there(store, kind, limits, frame)
                change += _apply(store, kind, frame, there)
        total += change
        if change == Change() or _count(store, kind) == before + change.created - change.removed:
            return total
    raise EngineError(f"the number of {kind.name} keeps changing", "see that nothing else writes, and try again")


def _there(store: Store, kind: Kind, limits: Mapping[str, Any], like: pl.DataFrame) -> pl.DataFrame:
    try:
        return frame_of(store.stream(kind.read, limits, READ_S), like)
    except EngineUnavailable:  # lost while it told them; `stream` brings the home's own server back
        return frame_of(store.stream(kind.read, limits, READ_S), like)


def _count(store: Store, kind: Kind) -> int:
    return store.read(kind.count)[0]["n"]


def _apply(store: Store, kind: Kind, wanted: pl.DataFrame, there: pl.DataFrame) -> Change:
    keys = list(kind.keys)
    twice = there.filter(pl.struct(keys).is_duplicated()).select(keys).unique()
    there = there.join(twice, on=keys, how="anti")  # taken away, and made afresh
    gone = pl.concat([there.join(wanted, on=keys, how="anti").select(keys), twice])
    new = wanted.join(there, on=keys, how="anti")
    others = [name for name in wanted.columns if name not in keys]
    differs = pl.any_horizontal(
        [pl.col(name).ne_missing(pl.col(f"{name}_there")) for name in others] or [pl.lit(False)]
    )
    changed = wanted.join(there, on=keys, how="inner", suffix="_there").filter(differs).select(wanted.columns)

    width = wanted.columns
    removed = _write(store, kind, kind.remove, gone.with_columns(pl.lit(None).alias(n) for n in others).select(width))
    made = _write(store, kind, kind.create, new)
    if kind.create and made < len(new):
        raise EngineError(
            f"{len(new) - made} of {len(new)} {kind.name} could not be made, as a node at one end is missing",
            "run the same command again",
        )
    return Change(made, _write(store, kind, kind.change, changed), removed)


def _write(store: Store, kind: Kind, query: str, frame: pl.DataFrame) -> int:
    if not query:
        return 0
    total = 0
    batches = [frame.slice(start, BATCH) for start in range(0, len(frame), BATCH)]
    for batch in track(batches, kind.name) if len(batches) > 2 else batches:
        total += store.write(query, rows=lists_of(batch), **kind.parameters)[0]["n"]
    return total


def ranges(wanted: pa.Table, there: int = 0, low: int = 0, high: int = WHOLE) -> Iterator[tuple[str, str, pa.Table]]:
    """Cut a piece [low, high), sorted by binary pseudonyms, into ranges: (from, below, its rows), together all of it.

    Pseudonyms are evenly spread, so equal ranges of their first 8 bytes hold about equally many. `there` says how
    many the whole graph may have.
    """
    share = there * (high - low) // WHOLE
    count = max(1, -(-max(wanted.num_rows, share) // RANGE_ROWS))
    bounds = [low + part * (high - low) // WHOLE for part in bounds_of(count)]
    inner = bounds[1:-1]
    fixed = wanted.column(0).combine_chunks().cast(pa.binary(16))
    heads = np.frombuffer(fixed.buffers()[1], ">u8")[2 * fixed.offset :: 2][: len(fixed)] if inner else np.zeros(0)
    places = [0, *np.searchsorted(heads, np.array(inner, np.uint64)).tolist(), wanted.num_rows]
    for i, (first, last) in enumerate(itertools.pairwise(bounds)):
        yield _bound_text(first), _bound_text(last), wanted.slice(places[i], places[i + 1] - places[i])


def _bound_text(bound: int) -> str:
    """The text that pseudonyms of this range and above do not sort before."""
    if bound in (0, WHOLE):
        return "g" if bound else ""  # "g" sorts after every hexadecimal digit
    digits = f"{bound:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}"
