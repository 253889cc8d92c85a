"""An analyst's own question to the graph: its rows as typed columns, its nodes and edges as a networkx graph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import neo4j.graph
import neo4j.time
import networkx as nx
import polars as pl
import pyarrow as pa

from graph.guard import check
from graph.rows import plain
from graph.schema import KEYS
from graph.store import Store
from lake.errors import BadValue, QueryRefused

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 1_000_000
TIMEOUT_S = 300.0


def ask(store: Store, query: str, /, *, max_rows: int = MAX_ROWS, timeout_s: float = TIMEOUT_S, **params: Any) -> Found:
    """Run one query that only reads, and keep its first `max_rows` rows; values travel in `params` only.

    Raises QueryRefused, before anything runs, where its plan does more than read (`graph.guard`) or it is no valid
    Cypher, QueryTooHeavy past `timeout_s` or the memory limit, BadValue for a cap below 1.

    `ask(store, "MATCH (a:App {category: $of}) RETURN a.app AS app", of="travel").frame()`
    """
    if max_rows < 1:
        raise BadValue(f"max_rows is {max_rows}", "a number above 0 would work")
    check(store.explain(query, **params))
    with store.stream(query, params, timeout_s=timeout_s) as records:
        values: list[list[Any]] = [[] for _ in records.columns]
        for number, record in enumerate(records):
            if number == max_rows:
                return Found(records.columns, values, truncated=True)
            for column, value in zip(values, record.values(), strict=True):
                column.append(value)
        return Found(records.columns, values, truncated=False)


@dataclass(frozen=True, repr=False)
class Found:
    """What a query returned: as a table (Arrow, polars, pandas) or, where it returned nodes and edges, as a graph.

    `truncated` is true when there were more rows than `max_rows`: then neither is the whole answer.
    """

    columns: list[str]
    values: list[list[Any]]
    """The driver's values, a list a column."""
    truncated: bool

    def __len__(self) -> int:
        return len(self.values[0]) if self.values else 0

    def __repr__(self) -> str:
        return f"<{len(self)} rows{', cut off' if self.truncated else ''}: {', '.join(self.columns)}>"

    @cached_property
    def table(self) -> pa.Table:
        """The rows as an Arrow table.

        Days are `date32`; moments `timestamp[us]` in UTC without a zone, as in the lake, so that both join; lists are
        lists, maps and the properties of nodes and edges are structs, a path is the list of its steps. Pseudonyms
        are text (`lake.pseudonyms.to_text` gives the lake's the same form). A column of nulls alone has the type null.

        Raises QueryRefused, naming the column, for values of several types in one.
        """
        arrays = [_array(name, values) for name, values in zip(self.columns, self.values, strict=True)]
        return pa.table(arrays, names=self.columns)

    def frame(self) -> pl.DataFrame:
        """`table` as a polars data frame."""
        return pl.DataFrame(self.table)

    def pandas(self) -> pd.DataFrame:
        """`table` as a pandas data frame of Arrow types: whole numbers stay whole beside nulls."""
        import pandas as pd

        return self.table.to_pandas(types_mapper=pd.ArrowDtype)

    def graph(self) -> nx.MultiDiGraph:
        """Nodes and edges of the rows, also those in paths and lists, each once.

        A node's id is its key (the pseudonym of a user, the id of an app; `label:key` where two labels of the answer
        share a key), its attributes are `label` and its properties. An edge points as in Neo4j and has `type` and
        its properties; parallel edges, such as calls of several periods, stay apart. `nx.Graph(found.graph())` makes
        it simple and undirected. `truncated` is in `graph.graph`.

        Raises QueryRefused where nodes at the ends of an edge were not returned.
        """
        nodes: dict[str, neo4j.graph.Node] = {}
        edges: dict[str, neo4j.graph.Relationship] = {}
        for column in self.values:
            for entity in _entities(column):
                if isinstance(entity, neo4j.graph.Node):
                    nodes[entity.element_id] = entity
                else:
                    edges[entity.element_id] = entity
        ids = _ids(nodes)
        graph = nx.MultiDiGraph(truncated=self.truncated)
        for element, node in nodes.items():
            graph.add_node(ids[element], **{"label": _label(node), **_native(plain(node))})
        for edge in edges.values():
            ends = [ids.get(end.element_id) for end in edge.nodes if end is not None]
            if None in ends:
                raise QueryRefused(
                    f"the query returns {edge.type} without the nodes at its ends",
                    "return them too, or the path: MATCH p = (a)-[r]->(b) RETURN p",
                )
            graph.add_edge(*ends, **{"type": edge.type, **_native(plain(edge))})
        return graph


def _array(name: str, values: list[Any]) -> pa.Array:
    try:
        return pa.array([_native(plain(value)) for value in values])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise QueryRefused(
            f"column {name} holds values of several types", "make them one, as toString(…) does"
        ) from None


def _native(value: Any) -> Any:
    """Plain values with moments in UTC without a zone, and spans of time as ISO text."""
    if isinstance(value, list):
        return [_native(item) for item in value]
    if isinstance(value, dict):
        return {key: _native(item) for key, item in value.items()}
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, neo4j.time.Duration):
        return value.iso_format()
    return value


def _entities(value: Any) -> Iterator[neo4j.graph.Node | neo4j.graph.Relationship]:
    """Nodes and edges in a value, however deep."""
    if isinstance(value, neo4j.graph.Node | neo4j.graph.Relationship):
        yield value
    elif isinstance(value, neo4j.graph.Path):
        yield from value.nodes
        yield from value.relationships
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _entities(item)


def _ids(nodes: dict[str, neo4j.graph.Node]) -> dict[str, str]:
    """What each node is called in the graph, by its element id."""
    keys = {element: str(node.get(KEYS.get(_label(node), ""), element)) for element, node in nodes.items()}
    labels: dict[str, set[str]] = {}
    for element, key in keys.items():
        labels.setdefault(key, set()).add(_label(nodes[element]))
    return {e: f"{_label(nodes[e])}:{key}" if len(labels[key]) > 1 else key for e, key in keys.items()}


def _label(node: neo4j.graph.Node) -> str:
    return min(node.labels, default="")
