"""Decisions for everybody, in blocks of customers: the same items, order and scores as one decision for each.

For offers, the channels' daily capacities are shared out over all (`matching.capacity`); where they bind, customers
get fewer or other offers than alone, or through another channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.home import beside
from lake.progress import track
from matching.answered import Answered
from matching.arrays import binary
from matching.capacity import Sharing
from matching.eligibility import Block, eligible
from matching.evidence import strongest
from matching.fatigue import said_by, since_load
from matching.reasons import flat, sentences
from matching.room import room_left, without_room
from matching.routes import choose
from matching.scores import best_of_each, offer_scores, readable
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
    sharing: dict[str, Any] | None = None,
) -> int:
    """Write what `match_all` gives to a Parquet file, block by block; returns the number of rows.

    The file appears whole or not at all. Nothing else is written. `sharing` is filled, for offers, with how the
    channels' capacities were shared out (`matching.capacity.Shared.to_json`). Raises DiskFull.
    """
    path = Path(path)
    rows = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside(path) as fresh, pq.ParquetWriter(fresh, SCHEMA, compression="zstd") as writer:
        for batch in match_batches(state, kind, k, users, answered, sharing):
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def match_batches(
    state: MatchState,
    kind: str,
    k: int,
    users: Iterable[bytes] | None = None,
    answered: Answered | pa.Table | None = None,
    sharing: dict[str, Any] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of `match_all`, a block of customers at a time; `sharing` as in `write_matches`."""
    of, most = check_kind(kind), check_k(k)
    most = max(1, min(most, len(state.items(of))))
    answered = Answered.of(answered, state.days, state.today) if isinstance(answered, pa.Table) else answered
    keys, positions = _customers(state, users)
    since = _since_load(state, of, answered)
    size = max(1, min(4096, BLOCK_CELLS // max(1, len(state.items(of)))))
    parts = [slice(at, at + size) for at in range(0, len(keys), size)]
    made = (_block(state, of, keys[part], positions[part], since) for part in parts)
    blocks = track(made, f"matching {of}s", total=len(parts))
    met = None if answered is None else answered.met
    if of == "app":
        full = without_room(state.channels, met, state.today)
        ranked: Iterable[_Ranked] = (
            _ranked(state, block, keys[part], most, full) for part, block in zip(parts, blocks, strict=True)
        )
    else:
        room = room_left(state.channels, met, state.today)
        ranked = _shared(state, blocks, keys, positions, most, parts, room, sharing)
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


@dataclass(frozen=True)
class _Since:
    """What answers since the state was loaded change, by pseudonym (without trailing zeros, as NumPy has it): items
    that rest, and whether no contact is left."""

    paused: dict[bytes, np.ndarray]
    tired: dict[bytes, bool]


def _since_load(state: MatchState, kind: Kind, answered: Answered | None) -> _Since:
    found = _Since({}, {})
    for user in answered.users() if answered is not None else ():
        position = state.customers.position(user)
        said = said_by(answered, state.history, state.customers.users, position, user)
        paused, tired = since_load(state.history, kind, state.places(kind), position, said)
        known = position < state.customers.n
        numbers = state.history.persons.numbers_of(position).tolist() if known else []
        for key in (user.rstrip(b"\0"), *(bytes(state.customers.users[i]) for i in numbers)):
            found.paused[key], found.tired[key] = paused, tired
    return found


def _block(state: MatchState, kind: Kind, keys: np.ndarray, users: np.ndarray, since: _Since) -> Block:
    said = [(b, i) for b, key in enumerate(keys.tolist()) for i in since.paused.get(key, ())] if since.paused else []
    pairs = np.array(said, np.int64).reshape(-1, 2)
    tired = state.history.tired[users]
    if since.tired:
        tired = np.array([since.tired.get(key, before) for key, before in zip(keys.tolist(), tired, strict=True)], bool)
    return Block(kind=kind, users=users, paused=(pairs[:, 0], pairs[:, 1]), tired=tired)


def _ranked(state: MatchState, block: Block, keys: np.ndarray, k: int, full: np.ndarray | None) -> _Ranked:
    users = block.users
    items, values, exact = best_of_each(state, users, eligible(state, block), k)
    return _Ranked(keys, users, items, readable(values, exact), choose(state, "app", users, items, full=full))


def _shared(
    state: MatchState,
    blocks: Iterable[Block],
    keys: np.ndarray,
    users: np.ndarray,
    k: int,
    parts: list[slice],
    room: np.ndarray,
    told: dict[str, Any] | None,
) -> Iterator[_Ranked]:
    """Offers, with the channels' room of today shared out over all customers."""
    sharing = Sharing(state, k, room)
    for block in blocks:
        sharing.add(block.users, offer_scores(state, block.users).score, eligible(state, block))
    shared = sharing.share()
    if told is not None:
        told.update(shared.to_json(state))
    for part in parts:
        yield _Ranked(keys[part], users[part], shared.items[part], shared.values[part], shared.channels[part])


def _rows(state: MatchState, kind: Kind, ranked: _Ranked) -> pa.RecordBatch:
    items = ranked.items
    things = items if kind == "app" else np.append(state.offers.product, -1)[items]
    found = strongest(state.app_ties if kind == "app" else state.product_ties, ranked.users, things)
    row, place = np.nonzero(items >= 0)
    chosen, users = items[row, place], ranked.users[row]
    reasons = sentences(state, kind, users, chosen, flat(found, (row, place)))
    channel = ranked.channels[row, place]
    columns = [
        binary(ranked.keys).take(pa.array(row)),
        pa.repeat(pa.scalar(kind), len(row)),
        state.items(kind).take(pa.array(chosen)),
        pa.array(place + 1, pa.int32()),
        pa.array(ranked.values[row, place]),
        state.channels.ids.take(pa.array(channel, mask=channel < 0)),
        reasons,
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
