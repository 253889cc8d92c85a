"""The parts that the graph is made of, each with a fingerprint of what it is made from."""

from __future__ import annotations

from graph.edges import EDGES, Edges, calls_part
from graph.nodes import NODES, Nodes
from lake.settings import Settings
from lake.tables import Lake

VERSION = 2
"""Part of every fingerprint: raised when the same lake would give another graph."""


def parts_of(lake: Lake, settings: Settings) -> list[Nodes | Edges]:
    """The nodes of each label, the edges of each type, the calls of each period that is kept; nodes first."""
    return [*NODES, *EDGES, *map(calls_part, kept_periods(lake, settings))]


def kept_periods(lake: Lake, settings: Settings) -> list[str]:
    """The last periods, whose calls are in the graph; the lake keeps all."""
    return lake.partitions("contacts")[-settings.keep_periods :]


def fingerprint(lake: Lake, part: Nodes | Edges) -> str:
    """What a part is made from, as the files are now."""
    partition = part.partition if isinstance(part, Edges) else None
    return f"{VERSION} {lake.fingerprint(part.inputs, partition)}"
