"""The lake into Neo4j: what changed since the last load, part by part, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from graph.answered import ANSWERED, answered_in, drop_answered, without_answered
from graph.edges import CALLS, EDGES, Edges, calls_part
from graph.nodes import Nodes
from graph.parts import fingerprint, kept_periods, parts_of
from graph.schema import KEYS, ensure
from graph.scores import write_scores
from graph.state import forget_part, keep_part, open_parts, read_state, seal
from graph.store import Store
from graph.sync import READ_S, Change, Kind, edge_kind, node_kind, sync
from lake.settings import Settings
from lake.tables import Lake

__all__ = ["load_graph", "write_scores"]


def load_graph(lake: Lake, store: Store, settings: Settings) -> dict[str, Any]:
    """Bring the graph to what the lake says; a second load of the same lake writes nothing.

    Each part (the nodes of a label, the edges of a type, the calls of a period) has a fingerprint of the tables it is
    made from; a part whose fingerprint changed is compared with the graph, and the difference is
    written. `CALLS` are kept for the last `settings.keep_periods` periods. Edges that the API wrote are left alone,
    and take the place of the feed's for the same answers.

    Returns `{"nodes": {label: number}, "edges": {type: number}, "created", "changed", "removed", "parts": [written]}`.
    Raises NotReady where nothing has been loaded into the lake.
    """
    state = read_state(store)
    parts = parts_of(lake, settings)
    fingerprints = {part.part: fingerprint(lake, part) for part in parts}
    due = [part for part in parts if state.get(part.part) != fingerprints[part.part]]
    outdated = _outdated(store, lake, settings, state)
    written = [part.part for part in [*due, *outdated]]
    change = Change()
    ensure(store)  # also where nothing is due: an import may have been killed before it came to this
    if written:
        open_parts(store, written)
    for part in due:
        if isinstance(part, Nodes):
            change += _load_nodes(lake, store, part)
        else:
            change += _load_edges(lake, store, part, is_new=bool(state) and part.part not in state)
        keep_part(store, part.part, fingerprints[part.part])
    for old in outdated:
        change += sync(store, _edge_kind(old, old.none().schema), old.none())
        forget_part(store, old.part)
    change += Change(removed=drop_answered(store))
    if written:
        seal(store)
    return {**count(store), **vars(change), "parts": written}


def count(store: Store) -> dict[str, dict[str, int]]:
    """How many nodes of each label and edges of each type the graph has."""
    nodes = {label: store.read(f"MATCH (n:{label}) RETURN count(n) AS n")[0]["n"] for label in KEYS}
    types = dict.fromkeys(edges.type for edges in [*EDGES, calls_part("")])
    return {
        "nodes": nodes,
        "edges": {name: store.read(f"MATCH ()-[r:{name}]->() RETURN count(r) AS n")[0]["n"] for name in types},
    }


def _load_nodes(lake: Lake, store: Store, nodes: Nodes) -> Change:
    wanted = nodes.wanted(lake)
    return sync(store, node_kind(nodes.label, nodes.key, wanted.schema, keep=ANSWERED), wanted)


def _load_edges(lake: Lake, store: Store, edges: Edges, *, is_new: bool) -> Change:
    wanted = edges.asked(lake)
    if edges.type == "RESPONDED":
        wanted = replace(wanted, then=partial(without_answered, answered=answered_in(store)))
    return sync(store, _edge_kind(edges, wanted.schema), wanted, is_new=is_new)


def _edge_kind(edges: Edges, columns: pa.Schema) -> Kind:
    return edge_kind(
        edges.type,
        (edges.start, KEYS[edges.start]),
        (edges.end, KEYS[edges.end]),
        columns,
        identity=edges.identity,
        only=edges.only,
        parameters=edges.parameters,
    )


def _outdated(store: Store, lake: Lake, settings: Settings, state: dict[str, str]) -> list[Edges]:
    """Periods of calls that the graph has and should not have; a graph of unknown origin is searched for them."""
    there = [part.removeprefix(CALLS) for part in state if part.startswith(CALLS)]
    if not state:
        found = store.read("MATCH ()-[r:CALLS]->() RETURN DISTINCT r.period AS period", timeout_s=READ_S)
        there = [row["period"] for row in found]
    return [calls_part(period) for period in sorted(set(there) - set(kept_periods(lake, settings)))]
