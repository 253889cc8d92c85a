"""Decisions for everybody, in blocks of customers: the same items, order and scores as one decision for each.

For offers, the channels' daily capacities are shared out over all (`matching.capacity`); where they bind, customers
get fewer offers than alone, or through another channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.home import beside
from lake.progress import track
from matching.answered import Answered
from matching.capacity import SPARE, share_out
from matching.eligibility import Block, eligible
from matching.evidence import strongest
from matching.rank import top_k
from matching.reasons import flat, sentences
from matching.routes import choose
from matching.scores import app_scores, offer_scores, readable
from matching.state import Kind, MatchState, check_k, check_kind

SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("kind", pa.string()),
        ("item", pa.string()),
        ("rank", pa.int32()),
        ("score", pa.float64()),
        ("channel", pa.string()),
        ("reason", pa.string()),
    ]
)
"""What `match` writes: one row a customer and item, by customer and rank."""
BLOCK_CELLS = 1 << 24
"""Customers × items that are scored at a time (64 MB of single precision)."""


@dataclass(frozen=True)
class _Ranked:
    """The best items of a block: keys S16 (b), users (b), items (b, k), values (b, k), channels (b, k)."""

    keys: np.ndarray
    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    channels: np.ndarray


def match_all(
    state: MatchState,
    kind: str,
    k: int,
    users: Iterable[bytes] | None = None,
    answered: Answered | pa.Table | None = None,
) -> pa.Table:
    """Decisions for all customers of the own network, or for `users` (pseudonyms of 16 bytes, in any order).

    `answered` may be the table that `Answers.all()` gives.

    Returns a table of SCHEMA, sorted by customer and rank; a customer who is shown nothing has no row, and a pseudonym
    that is not known gets the fallback's items. Raises BadValue for a k below 1 and an unknown kind.
    """
    return pa.Table.from_batches(list(match_batches(state, kind, k, users, answered)), SCHEMA)


def write_matches(
    path: Path,
    state: MatchState,
    kind: str,
    k: int,
    users: Iterable[bytes] | None = None,
    answered: Answered | pa.Table | None = None,
) -> int:
    """Write what `match_all` gives to a Parquet file, block by block; returns the number of rows.

    The file appears whole or not at all. Nothing else is written. Raises DiskFull.
    """
    path = Path(path)
    rows = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside(path) as fresh, pq.ParquetWriter(fresh, SCHEMA, compression="zstd") as writer:
        for batch in match_batches(state, kind, k, users, answered):
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def match_batches(
    state: MatchState,
    kind: str,
    k: int,
    users: Iterable[bytes] | None = None,
    answered: Answered | pa.Table | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of `match_all`, a block of customers at a time."""
    of, most = check_kind(kind), check_k(k)
    answered = Answered.of(answered) if isinstance(answered, pa.Table) else answered
    keys, positions = _customers(state, users)
    paused = _paused(state, of, answered)
    size = max(1, min(4096, BLOCK_CELLS // max(1, len(state.items(of)))))
    blocks = [slice(at, at + size) for at in range(0, len(keys), size)]
    ranked: Iterator[_Ranked] = (
        _ranked(state, of, keys[part], positions[part], most, paused)
        for part in track(blocks, f"matching {of}s", total=len(blocks))
    )
    if of == "offer":
        ranked = _shared(state, list(ranked), most, size)
    for each in ranked:
        yield _rows(state, of, each)


def _customers(state: MatchState, users: Iterable[bytes] | None) -> tuple[np.ndarray, np.ndarray]:
    """Pseudonyms (S16, sorted, each once) and their positions."""
    customers = state.customers
    if users is None:
        positions = np.flatnonzero(~customers.off_net[:-1])
        return customers.users[positions], positions
    keys = np.unique(np.array(list(users), "S16"))
    place = np.minimum(np.searchsorted(customers.users, keys), max(customers.n - 1, 0))
    found = customers.users[place] == keys if customers.n else np.zeros(len(keys), bool)
    return keys, np.where(found, place, customers.n)


def _paused(state: MatchState, kind: Kind, answered: Answered | None) -> dict[bytes, list[int]]:
    """Items that answers since the state was loaded pause, by pseudonym (without trailing zeros, as NumPy has it)."""
    if answered is None:
        return {}
    known = state.places(kind)
    found = {u.rstrip(b"\0"): answered.paused(u, kind, state.today) for u in answered.users()}
    return {user: [known[i] for i in items if i in known] for user, items in found.items()}


def _ranked(
    state: MatchState, kind: Kind, keys: np.ndarray, users: np.ndarray, k: int, paused: dict[bytes, list[int]]
) -> _Ranked:
    said = [(b, item) for b, key in enumerate(keys.tolist()) for item in paused.get(key, ())] if paused else []
    pairs = np.array(said, np.int64).reshape(-1, 2)
    block = Block(kind=kind, users=users, paused=(pairs[:, 0], pairs[:, 1]))
    mask = eligible(state, block)
    if kind == "offer":
        items, values = top_k(offer_scores(state, users).score, mask, k + SPARE, parallel=True)
        return _Ranked(keys, users, items, values, np.zeros(items.shape, np.int16))
    fit, vectors = app_scores(state, users), state.vectors
    items, values = top_k(
        fit.scores, mask, k, left=fit.left, right=vectors.apps, longest=vectors.longest_app, exact=fit.exact,
        added=fit.added, parallel=True,
    )  # fmt: skip
    return _Ranked(keys, users, items, readable(values, fit.exact), choose(state, kind, users, items))


def _shared(state: MatchState, ranked: list[_Ranked], k: int, size: int) -> Iterator[_Ranked]:
    """The same customers with the channels' capacities shared out over all of them."""
    if not ranked:
        return
    keys = np.concatenate([each.keys for each in ranked])
    users = np.concatenate([each.users for each in ranked])
    items, values, channels = share_out(
        state, users, np.concatenate([e.items for e in ranked]), np.concatenate([e.values for e in ranked]), k
    )
    for at in range(0, len(keys), size):
        part = slice(at, at + size)
        yield _Ranked(keys[part], users[part], items[part], values[part], channels[part])


def _rows(state: MatchState, kind: Kind, ranked: _Ranked) -> pa.RecordBatch:
    items = ranked.items
    things = items if kind == "app" else np.append(state.offers.product, -1)[items]
    found = strongest(state.app_ties if kind == "app" else state.product_ties, ranked.users, things)
    row, place = np.nonzero(items >= 0)
    chosen, users = items[row, place], ranked.users[row]
    reasons = sentences(state, kind, users, chosen, flat(found, (row, place)))
    channel = ranked.channels[row, place]
    keys = pa.Array.from_buffers(pa.binary(16), len(ranked.keys), [None, pa.py_buffer(ranked.keys.tobytes())])
    columns = [
        keys.take(pa.array(row)).cast(pa.binary()),
        pa.repeat(pa.scalar(kind), len(row)),
        state.items(kind).take(pa.array(chosen)),
        pa.array(place + 1, pa.int32()),
        pa.array(ranked.values[row, place]),
        state.channels.ids.take(pa.array(channel, mask=channel < 0)),
        reasons,
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
