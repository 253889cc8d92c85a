"""A snapshot: one folder of arrays and a manifest, mapped into memory by whoever matches.

    HOME/snapshots/current        the id of the snapshot in force (a small file, replaced by one rename)
    HOME/snapshots/<id>/          arrays (`.npy`), tables (`.parquet`), `manifest.json`, `report.html`, and `made_at`

The id is a digest of all bytes but `made_at`: the same input, seed, versions and threads give the same id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from embeddings.offer_facts import WEIGHTS
from lake.errors import NotReady
from lake.home import Home

ARRAYS = (
    "users",
    "user_vectors",
    "app_vectors",
    "app_popularity",
    "product_vectors",
    "product_user_vectors",
    "product_popularity",
    "user_segment",
    "segment_app_scores",
    "segment_product_scores",
)
ADDED = ("offer_users", "offer_weights", "offer_slopes")
"""Arrays that are not there in snapshots of earlier versions, and where acceptance is not learned."""
NEAR = ("use_starts", "use_apps", "near_starts", "near_apps", "near_weights", "user_pull", "app_fold")
"""What apps say of apps (`embeddings.neighbours`): also added since, and only where the filter is served."""
START = ("start_users", "start_apps", "start_products", "start_maps")
"""What a later fit begins with (`embeddings.resume`); nobody who matches opens it."""
UPTAKE = pa.schema([("kind", pa.string()), ("score", pa.float64()), ("chance", pa.float64())])
ADDED_TABLES = {"offer_facts": WEIGHTS, "uptake": UPTAKE}
"""Tables that are not there in snapshots of earlier versions; they are empty then."""
TABLES = ("apps", "products", "segments", "offers", "offer_segments", "channels")
CURRENT = "current"


@dataclass(frozen=True)
class Snapshot:
    """Vectors of users (n), apps (m) and products (p), and what is said of those without any.

    - `users` (n, 16) uint8, sorted pseudonyms of on-net customers; `user_vectors` (n, d), `app_vectors` (m, d) float32:
      their dot product, with what neighbours add, is the app's score, in standard deviations above the customer's mean
      app. A row of zeros is a customer without vectors: their segment's scores stand in (`app_scores` does that).
    - Neighbours: an app i that customer u used adds `user_pull[u]` · w to the score of each of its neighbours,
      `near_apps[near_starts[i]:near_starts[i + 1]]` with their `near_weights` w. `use_starts` (n + 1,), `use_apps` say
      who used what. One more app used adds `user_pull[u] · app_fold[i]` (m, f) to the first f dimensions of u's vector.
    - `app_popularity` (m,), `product_popularity` (p,): share of users, float32.
    - `product_user_vectors` (n, dp) and `product_vectors` (p, dp): sigmoid of their dot product is the affinity
      in 0 to 1, .5 for 'like the average customer' (`product_scores`).
    - `user_segment` (n,) int32 positions in `segments`, -1 for none; `segment_app_scores` (s, m) and
      `segment_product_scores` (s, p): smoothed shares of the segment's users.
    - `apps`, `products`, `segments`: identifiers in order of position. `offers`: `(offer, product, acceptance, shown,
      accepted)`, one row an offer; `offer_segments`: `(offer, segment, acceptance, shown, accepted)`, where a
      segment was shown it; `channels`: `(channel, acceptance, shown, accepted, log_odds)`. Acceptances are smoothed
      shares.
    - `offer_users` (n, f) float32, `offer_weights` (o + 1, 1 + f), `offer_slopes` (2 + c): what was learned from
      answers (`embeddings.propensity`): customers' numbers; each offer's level and weights in the order of `offers`,
      the last row for offers nobody was shown; weights of the log-odds of rate and affinity, and of circumstances. All
      empty where nothing was learned. `log_odds` of a channel is how much readier customers say yes through it.
    - `uptake`: knots of the chance that a customer begins to use an app (`embeddings.uptake`), by `kind` of its score:
      `deviations` for a dot product, `shares` for a segment's share; rising, linear in between. No rows of what could
      not be learned.
    - `offer_facts`: weights of what is known of an offer that nobody was shown (`embeddings.offer_facts`); no rows
      where the mean of the other offers is expected of it.
    """

    id: str
    folder: Path
    manifest: dict[str, Any]
    users: np.ndarray
    user_vectors: np.ndarray
    app_vectors: np.ndarray
    app_popularity: np.ndarray
    product_vectors: np.ndarray
    product_user_vectors: np.ndarray
    product_popularity: np.ndarray
    user_segment: np.ndarray
    segment_app_scores: np.ndarray
    segment_product_scores: np.ndarray
    offer_users: np.ndarray
    offer_weights: np.ndarray
    offer_slopes: np.ndarray
    use_starts: np.ndarray
    use_apps: np.ndarray
    near_starts: np.ndarray
    near_apps: np.ndarray
    near_weights: np.ndarray
    user_pull: np.ndarray
    app_fold: np.ndarray
    apps: list[str]
    products: list[str]
    segments: list[str]
    offers: pa.Table
    offer_segments: pa.Table
    channels: pa.Table
    offer_facts: pa.Table
    uptake: pa.Table

    @classmethod
    def open(cls, home: Home, id: str) -> Snapshot:
        """The snapshot of that id, its arrays mapped, not read. Raises NotReady where there is none, or a file of it is
        gone or cut short."""
        folder = home.snapshots / id
        if not is_snapshot(folder):
            raise NotReady(f"there is no snapshot {id} in {home.snapshots}", "make one with `dumbbell embed`")
        try:
            return cls._read(id, folder)
        except (OSError, ValueError, EOFError) as damage:
            found = f"the snapshot {id} in {home.snapshots} cannot be read ({type(damage).__name__})"
            raise NotReady(found, "make it again with `dumbbell embed --force`") from damage

    @classmethod
    def _read(cls, id: str, folder: Path) -> Snapshot:
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
        lengths = {"offer_users": len(arrays["users"]), "app_fold": len(arrays["app_vectors"])}
        for name in (*ADDED, *NEAR):
            path, rows = folder / f"{name}.npy", lengths.get(name, 0)
            arrays[name] = np.load(path, mmap_mode="r") if path.exists() else np.zeros((rows, 0), np.float32)
        tables = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES}
        lists = {name: tables[name].column(0).to_pylist() for name in ("apps", "products", "segments")}
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        rest = {name: tables[name] for name in ("offers", "offer_segments", "channels")}
        for name, schema in ADDED_TABLES.items():
            path = folder / f"{name}.parquet"
            rest[name] = pq.read_table(path) if path.exists() else schema.empty_table()
        return cls(id=id, folder=folder, manifest=manifest, **arrays, **lists, **rest)

    @classmethod
    def current(cls, home: Home) -> Snapshot:
        """The snapshot in force. Raises NotReady where `dumbbell embed` has not run."""
        id = current_id(home)
        if id is None:
            raise NotReady("there is no snapshot yet", "make one with `dumbbell embed`")
        return cls.open(home, id)

    def rows(self, users: list[bytes]) -> np.ndarray:
        """Positions (b,) int64 of pseudonyms of 16 bytes; -1 for a number that is no on-net customer."""
        wanted = np.frombuffer(b"".join(users), "S16")
        if not len(self.users):
            return np.full(len(wanted), -1)
        known = np.ascontiguousarray(self.users).view("S16").ravel()
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[at] == wanted, at, -1)

    def app_scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores (b, m) float32 of all apps for the customers at `rows` (b,); -1 and customers without vectors get
        their segment's shares, or the overall popularity."""
        vectors = self.user_vectors[rows]
        scores = np.asarray(vectors @ self.app_vectors.T)
        if len(self.near_weights):
            import scipy.sparse as sp

            known, m = np.flatnonzero(rows >= 0), len(self.apps)
            near = sp.csr_array((self.near_weights, self.near_apps, self.near_starts), shape=(m, m))
            uses = np.ones(len(self.use_apps), np.float32), self.use_apps, self.use_starts
            used = sp.csr_array(uses, shape=(len(self.users), m))[rows[known]]
            scores[known] += (used @ near).toarray() * self.user_pull[rows[known]][:, None]
        without = (rows < 0) | ~vectors.any(axis=1)
        if without.any():
            scores[without] = self._fallback(rows[without], self.segment_app_scores, self.app_popularity)
        return scores

    def product_scores(self, rows: np.ndarray) -> np.ndarray:
        """Affinities (b, p) float32 of all products, .5 for 'like the average customer', for the customers at `rows`.

        Without vectors: the segment's share over the sum of it and the overall share; without a segment .5.
        """
        vectors = self.product_user_vectors[rows]
        scores = np.asarray(1 / (1 + np.exp(-(vectors @ self.product_vectors.T))), np.float32)
        without = (rows < 0) | ~vectors.any(axis=1)
        if without.any():
            shares = self._fallback(rows[without], self.segment_product_scores, self.product_popularity)
            total = shares + self.product_popularity
            scores[without] = np.divide(shares, total, out=np.full(shares.shape, 0.5, np.float32), where=total > 0)
        return scores

    def _fallback(self, rows: np.ndarray, shares: np.ndarray, popularity: np.ndarray) -> np.ndarray:
        segment = np.where(rows >= 0, self.user_segment[rows], -1) if len(self.user_segment) else np.full(len(rows), -1)
        if not len(shares):
            return np.broadcast_to(popularity, (len(rows), len(popularity)))
        return np.where(segment[:, None] >= 0, shares[segment], popularity)


def is_snapshot(folder: Path) -> bool:
    """Whether a folder holds a snapshot, whole or damaged."""
    return (folder / "manifest.json").is_file()


def current_id(home: Home) -> str | None:
    """The id of the snapshot in force; None where there is none yet."""
    pointer = home.snapshots / CURRENT
    return pointer.read_text(encoding="ascii").strip() if pointer.is_file() else None
