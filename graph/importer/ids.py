"""Dense numbers for nodes, by label and key: what edges name their ends by, at 8 bytes instead of 36 characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.ids import Positions
from lake.pseudonyms import to_text

Lookup = Callable[[pa.ChunkedArray], np.ndarray]


class NodeIds:
    """Numbers from 0 in the order in which nodes are added.

    >>> ids = NodeIds()
    >>> ids.add("App", pa.chunked_array([["chess", "maps"]])), ids.add("Tag", pa.chunked_array([["fun"]]))
    (array([0, 1]), array([2]))
    >>> ids.of("App", pa.chunked_array([["maps", "fun"]]))
    array([ 1, -1])
    """

    def __init__(self) -> None:
        self.count = 0
        self._blocks: dict[str, list[tuple[int, Lookup]]] = defaultdict(list)

    def add(self, label: str, keys: pa.ChunkedArray) -> np.ndarray:
        """Number new nodes; binary keys are sorted, and no key is added twice."""
        self._blocks[label].append((self.count, _positions(keys) if _is_binary(keys) else _places(keys)))
        first, self.count = self.count, self.count + len(keys)
        return np.arange(first, self.count)

    def of(self, label: str, keys: pa.ChunkedArray) -> np.ndarray:
        """(n,) int64 numbers of a label's nodes; -1 for a key that was not added. Users' keys are binary."""
        found = np.full(len(keys), -1, np.int64)
        for first, lookup in self._blocks[label]:
            places = lookup(keys)
            found = np.where(places >= 0, first + places, found)
        return found


def _is_binary(keys: pa.ChunkedArray) -> bool:
    return pa.types.is_binary(keys.type) or pa.types.is_fixed_size_binary(keys.type)


def _positions(keys: pa.ChunkedArray) -> Lookup:
    positions = Positions(keys)
    return lambda wanted: positions.of(wanted).astype(np.int64)


def _places(keys: pa.ChunkedArray) -> Lookup:
    known = keys.cast(pa.string()).combine_chunks()

    def places(wanted: pa.ChunkedArray) -> np.ndarray:
        text = to_text(wanted) if _is_binary(wanted) else wanted.cast(pa.string())
        found = pc.fill_null(pc.index_in(text, value_set=known), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found, np.int64)

    return places
