"""The snapshot's arrays (mapped, not read) brought to the order of the lake's customers, products and offers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.offer_facts import expected
from embeddings.snapshot import Snapshot
from matching.arrays import binary, positions
from matching.customers import whole
from matching.ondisk import read_when_asked


@dataclass(frozen=True)
class Vectors:
    """Arrays of one snapshot of n' users, m apps, p products and s segments.

    Apps that came after the snapshot stand behind its own (`matching.newcomers`), m counts them too.

    row              int32 (n + 1)   the snapshot's row of each customer of the lake, -1 where it has none
    users, apps      float32 (n', d), (m, d): users[u] · apps[a] is the score, in standard deviations above the
                     customer's mean app; a row of zeros is a customer of whom nothing is known. Rows of `users`,
                     and of `product_users`, are read when asked for (`matching.ondisk`)
    learned          how many apps are the snapshot's own
    longest_app      largest length of an app's vector, which bounds rounding errors
    pull             float32 (n'), and near_starts (m + 1), near_apps, near_weights: what an app that customer u used
                     adds to the scores of its neighbours, pull[u] times their weights; none if `near_apps` is empty
    fold             float32 (m, f): one more app used adds pull[u] · fold[app] to the first f of u's dimensions
    popularity       float32 (m)     share of customers who use the app
    product_users, products   float32 (n', e), (p, e): sigmoid of their dot product is the affinity
    product_popularity        float32 (p)
    segment          int32 (n + 1)   place in the snapshot's segments, -1 without
    segment_apps, segment_products   float32 (s, m), (s, p): shares of the segment's users
    """

    row: np.ndarray
    users: np.ndarray
    app_ids: pa.Array
    apps: np.ndarray
    learned: int
    longest_app: float
    pull: np.ndarray
    near_starts: np.ndarray
    near_apps: np.ndarray
    near_weights: np.ndarray
    fold: np.ndarray
    popularity: np.ndarray
    product_ids: pa.Array
    product_users: np.ndarray
    products: np.ndarray
    product_popularity: np.ndarray
    segment_ids: pa.Array
    segment: np.ndarray
    segment_apps: np.ndarray
    segment_products: np.ndarray
    offers: pa.Table
    offer_segments: pa.Table
    offer_facts: pa.Table

    @property
    def near(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`near_starts`, `near_apps`, `near_weights`."""
        return self.near_starts, self.near_apps, self.near_weights


@dataclass(frozen=True)
class Placed:
    """Where customers stand in a snapshot: `row` and `segment`, int32 (n + 1), as in `Vectors`."""

    row: np.ndarray
    segment: np.ndarray


def place(snapshot: Snapshot, users: pa.ChunkedArray, segment_names: pa.Array, lake_segment: np.ndarray) -> Placed:
    """Where the customers `users` (n) stand in a snapshot.

    Customers that came after the snapshot have no row; their segment, where the lake has one, is
    `segment_names[lake_segment[u]]` (n + 1).
    """
    row = np.append(positions(users, binary(snapshot.users)), -1).astype(np.int32)
    segment = np.append(np.asarray(snapshot.user_segment, np.int32), np.int32(-1))[row]
    segment_ids = pa.array(snapshot.segments, pa.string())
    now = np.append(positions(segment_names, segment_ids), -1)[lake_segment].astype(np.int32)
    return Placed(row, np.where(segment >= 0, segment, now))


def load_vectors(snapshot: Snapshot, placed: Placed) -> Vectors:
    """Arrays of a snapshot for customers who stand there as `placed` says."""
    apps = np.ascontiguousarray(snapshot.app_vectors, np.float32)
    return Vectors(
        row=placed.row,
        users=read_when_asked(snapshot.user_vectors),
        app_ids=pa.array(snapshot.apps, pa.string()),
        apps=apps,
        learned=len(apps),
        longest_app=float(np.sqrt(np.max(np.einsum("md,md->m", apps, apps), initial=0))),
        pull=snapshot.user_pull,
        near_starts=np.asarray(snapshot.near_starts),
        near_apps=np.asarray(snapshot.near_apps),
        near_weights=np.asarray(snapshot.near_weights),
        fold=np.asarray(snapshot.app_fold),
        popularity=np.asarray(snapshot.app_popularity, np.float32),
        product_ids=pa.array(snapshot.products, pa.string()),
        product_users=read_when_asked(snapshot.product_user_vectors),
        products=np.ascontiguousarray(snapshot.product_vectors, np.float32),
        product_popularity=np.asarray(snapshot.product_popularity, np.float32),
        segment_ids=pa.array(snapshot.segments, pa.string()),
        segment=placed.segment,
        segment_apps=snapshot.segment_app_scores,
        segment_products=snapshot.segment_product_scores,
        offers=snapshot.offers,
        offer_segments=snapshot.offer_segments,
        offer_facts=snapshot.offer_facts,
    )


def acceptance(vectors: Vectors, offers: pa.Array, facts: pa.Table, default: float) -> np.ndarray:
    """Acceptance expected of each offer in each segment, float64 (segments + 1, offers); the last row is overall.

    A segment that was never shown an offer takes the overall figure. An offer that nobody was shown takes what its
    `facts` (`embeddings.offer_facts`) let expect, where the snapshot says that; otherwise, if it came after the
    snapshot, the mean of the others, or `default`.
    """
    known = vectors.offers
    rates = np.asarray(whole(known["acceptance"]).cast(pa.float64()))
    overall = np.append(rates, rates.mean() if len(rates) else default)[positions(offers, known["offer"])]
    table = np.tile(overall, (len(vectors.segment_ids) + 1, 1))
    shown = vectors.offer_segments
    if len(shown) and len(offers):
        place, column = positions(shown["segment"], vectors.segment_ids), positions(shown["offer"], offers)
        ok = (place >= 0) & (column >= 0)
        table[place[ok], column[ok]] = np.asarray(whole(shown["acceptance"]))[ok]
    if len(vectors.offer_facts):
        seen = known.filter(pc.greater(known["shown"], 0))["offer"]
        unshown = positions(offers, seen) < 0
        table[:, unshown] = expected(vectors.offer_facts, facts, len(offers), vectors.segment_ids)[:, unshown]
    return table
