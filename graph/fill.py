"""The graph brought to what the lake says, by the quicker way: a new import, or the difference over Bolt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graph.edges import Edges
from graph.engine.hold import Hold, holding
from graph.importer.carried import Carried
from graph.importer.run import carry, finished, make_store
from graph.load import load_graph
from graph.nodes import Nodes
from graph.parts import fingerprint, parts_of
from graph.state import read_state
from graph.store import Store, open_store
from graph.wanted import rows_in
from lake.errors import DiskFull, EngineError
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake

IMPORT_S = 25.0
"""Of an import, whatever the size: stopping and starting the server, Java, constraints."""
IMPORTED_A_S = 100_000
READ_A_S = 40_000
WRITTEN_A_S = 8_000
"""Rows a second: imported, read back over Bolt, written over Bolt. How they compare counts, and is measured by
`python -m benchmarks.graph_load`: on two cores an import makes 12 rows while Bolt writes one or reads five."""
CHANGED = 0.2
"""Of the rows of a part that changed, how many differ: each month touches the totals of those who were active in it."""
RETRIES = 10
"""Of a query while loading into a named server, that may restart meanwhile: half a minute."""
FULL_MB = 64
"""With less free, a disk counts as full: Neo4j's own errors do not tell."""


def fill(home: Home, lake: Lake, settings: Settings, *, line: str | None = None) -> dict[str, Any]:
    """Bring the graph to what the lake says; a second time for the same lake writes nothing.

    Returns what `load_graph` does, and `way`: `import` or `bolt`. A server named by DUMBBELL_NEO4J_URI, and the
    product's own while others use it, are filled over Bolt; an empty one by an import; else whichever is quicker
    by `import_is_quicker`. `line` is the release line of a new store.
    """
    with filled(home, lake, settings, line=line) as (_, counts):
        return counts


@contextmanager
def filled(
    home: Home, lake: Lake, settings: Settings, *, line: str | None = None
) -> Iterator[tuple[Store, dict[str, Any]]]:
    """`fill`, and the store to go on with, so that the server is started once."""
    if settings.neo4j_uri:
        with open_store(home, settings, retries=RETRIES) as store:
            yield store, {**load_graph(lake, store, settings), "way": "bolt"}
        return
    with holding(home, line) as hold:
        with told_when_full(home):
            carried = _to_carry(hold, lake, settings) if hold.is_alone else None
            if carried is not None:
                make_store(hold, lake, settings, carried)
            endpoint = hold.start()
        hold.share()
        with Store(endpoint) as store:
            with told_when_full(home):
                counts = load_graph(lake, store, settings) if carried is None else finished(store, lake, settings)
            yield store, {**counts, "way": "bolt" if carried is None else "import"}


@contextmanager
def told_when_full(home: Home) -> Iterator[None]:
    """Turn a failure of the home's own server into DiskFull where its disk has no space left."""
    try:
        yield
    except EngineError as error:
        free = shutil.disk_usage(home.root).free // 10**6
        if free >= FULL_MB:
            raise
        raise DiskFull(
            f"no space left for {home.neo4j} ({free} MB free)", "free some space and run the same command again"
        ) from error


def _to_carry(hold: Hold, lake: Lake, settings: Settings) -> Carried | None:
    """What an import is to carry over from the store that there is; None where Bolt is quicker."""
    if hold.is_empty:
        return Carried()
    with Store(hold.start()) as store:
        return carry(store, lake) if import_is_quicker(lake, store, settings) else None


@dataclass(frozen=True)
class Size:
    """Rows of a part: that the lake asks for, and in the graph; whether they may differ."""

    wanted: int
    there: int
    is_due: bool


def import_is_quicker(lake: Lake, store: Store, settings: Settings) -> bool:
    """Whether to import everything afresh rather than to write what changed, by an estimate in seconds."""
    state = read_state(store)
    import_s, bolt_s = seconds([_size(lake, store, part, state) for part in parts_of(lake, settings)])
    return import_s < bolt_s


def seconds(parts: list[Size]) -> tuple[float, float]:
    """How long an import takes, and how long Bolt.

    An import makes all parts, due or not. Over Bolt a part that is due is read back, and written where it differs: by
    its growth, or by `CHANGED` of what is there.

    >>> seconds([Size(wanted=1_000_000, there=0, is_due=True)])
    (35.0, 125.0)
    """
    bolt_s = 0.0
    for part in parts:
        if part.is_due:
            written = max(abs(part.wanted - part.there), CHANGED * part.there)
            bolt_s += part.there / READ_A_S + written / WRITTEN_A_S
    return IMPORT_S + sum(part.wanted for part in parts) / IMPORTED_A_S, bolt_s


def _size(lake: Lake, store: Store, part: Nodes | Edges, state: dict[str, str]) -> Size:
    wanted = part.most(lake) if isinstance(part, Edges) else rows_in(lake, part.inputs[:1])
    if state.get(part.part) == fingerprint(lake, part):
        return Size(wanted, wanted, is_due=False)
    return Size(wanted, _there(store, part, state), is_due=True)


def _there(store: Store, part: Nodes | Edges, state: dict[str, str]) -> int:
    """About how many the graph has of a part, by Neo4j's own counters; of one that is new, none."""
    if part.part not in state:
        return 0
    if isinstance(part, Nodes):
        return int(store.read(f"MATCH (n:{part.label}) RETURN count(n) AS n")[0]["n"])
    found = int(store.read(f"MATCH ()-[r:{part.type}]->() RETURN count(r) AS n")[0]["n"])
    same_type = sum(name.split(" ")[0] == part.part.split(" ")[0] for name in state)
    return found // max(same_type, 1)
