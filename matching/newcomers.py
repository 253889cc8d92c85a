"""Apps that were loaded since the snapshot, as candidates: what their category lets expect of them.

A new app is taken for one more of its category. With n apps of the category used before the snapshot, and itself
counted as the mean app, whose score is 0, as nothing is known of it:

    score(u, new) = (sum of score(u, i) over the n apps) / (n + 1)

in the units of the other scores, and below the best of its category where that one is above the mean app. As scores
are products this is a vector, the apps' sum / (n + 1), and kernels see one app more. Without a category n is 0: the
mean app.

Customers without a vector have shares instead. There the dumbbell speaks, segment - FITS - category:

    share(s, new) = (sum of the n apps' shares of all customers) / (n + 1) · lift of FITS from s to the category

and without a segment, or where its FITS are not known, the lift is 1. What neighbours add (`near_*`) covers the
snapshot's apps only: to a new app they add what they add to the mean app.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from embeddings.snapshot import Snapshot
from lake.tables import Lake
from matching.arrays import positions
from matching.customers import sorted_ids
from matching.ties import Around
from matching.vectors import Vectors


@dataclass(frozen=True)
class Extended:
    """Arrays of `Vectors`, with the new apps after the snapshot's."""

    apps: np.ndarray
    fold: np.ndarray
    popularity: np.ndarray
    segment_apps: np.ndarray


def candidates(snapshot: Snapshot, lake: Lake) -> pa.Array:
    """The snapshot's apps in its order, then those that the lake's catalogue has since, sorted."""
    known = pa.array(snapshot.apps, pa.string())
    if not lake.has("apps"):
        return known
    named = lake.read("apps", ["app"])["app"].cast(pa.string())
    return pa.concat_arrays([known, sorted_ids(named.filter(pa.array(positions(named, known) < 0)))])


def extend(vectors: Vectors, category: np.ndarray, around: Around, segments: pa.Array) -> Extended:
    """What is expected of apps that came after the snapshot.

    `category` int32: place of each app's category, the new ones last, -1 without; `around` what is known of the same
    apps; `segments` of the lake, the rows of `around.fit_lift`.
    """
    known = vectors.learned
    new, seen = category[known:], np.where(vectors.popularity > 0, category[:known], -1)
    apps, fold, popularity = (
        np.zeros((len(new), *of.shape[1:]), np.float32) for of in (vectors.apps, vectors.fold, vectors.popularity)
    )
    for place in np.unique(new[new >= 0]):
        alike = np.flatnonzero(seen == place)
        for made, of in ((apps, vectors.apps), (fold, vectors.fold), (popularity, vectors.popularity)):
            made[new == place] = of[alike].sum(axis=0, dtype=np.float64) / (len(alike) + 1)
    if len(vectors.near_apps):
        apps[:, 0] = fold[:, 0] = 0  # that dimension takes away the mean of what neighbours add, which is all they add
    row = positions(vectors.segment_ids, segments)
    lift = np.ones((len(row), len(new)), np.float32)
    told = row >= 0
    fits = around.fit_lift[row[told]]
    lift[told] = np.where(fits.any(axis=1)[:, None], fits[:, known:], 1)  # all categories used have FITS: the rest is 0
    shares = np.minimum(popularity * lift, 1)
    return Extended(
        apps=np.concatenate([vectors.apps, apps]),
        fold=np.concatenate([vectors.fold, fold]),
        popularity=np.concatenate([vectors.popularity, popularity]),
        segment_apps=np.concatenate([vectors.segment_apps, shares], axis=1),
    )


def with_new(vectors: Vectors, apps: pa.Array, extended: Extended) -> Vectors:
    """Vectors of the snapshot's apps and the new ones; all `apps` in order."""
    for array in vars(extended).values():
        array.flags.writeable = False  # as mapped ones are: compiled code is not compiled again
    starts = vectors.near_starts
    if len(starts):
        starts = np.append(starts, np.full(len(apps) - vectors.learned, starts[-1], starts.dtype))
        starts.flags.writeable = False
    return replace(vectors, app_ids=apps, near_starts=starts, **vars(extended))
