"""How far customers move: the radius of gyration of the cells they call from.

With records e_c at cell c, centre x = sum e_c x_c / sum e_c and d the distance,

    radius = sqrt(sum e_c d(x_c, x)^2 / sum e_c)

on the unit sphere: x_c are unit vectors, x is scaled to length 1, and d is the great circle's length.
M. González, C. Hidalgo, A.-L. Barabási, "Understanding individual human mobility patterns", Nature 453 (2008).
"""

from __future__ import annotations

import numba
import numpy as np

from graph.calls.places.cells import CellUse

EARTH_KM = 6371.0088
LEAST_RECORDS = 5
"""Fewer records at known cells say nothing of movement."""


def radius(use: CellUse, points: np.ndarray, n: int) -> np.ndarray:
    """(n,) kilometres; nan below `LEAST_RECORDS`. `points` (cells, 3): unit vectors, nan where it is not known where.

    >>> from graph.geodesic import on_sphere
    >>> at = on_sphere(np.array([0.0, 0.0]), np.array([0.0, 2.0]))
    >>> use = CellUse(np.zeros(2, np.int32), np.arange(2, dtype=np.int32), np.array([5, 5]), np.zeros((4, 2), np.int64))
    >>> radius(use, at, 1).round(1)  # one degree from the middle, both
    array([111.2])
    """
    return _radius(use.user, use.cell, use.events, points, n)


@numba.njit(cache=True)
def _radius(user: np.ndarray, cell: np.ndarray, events: np.ndarray, points: np.ndarray, n: int) -> np.ndarray:
    found = np.full(n, np.nan)
    i = 0
    while i < user.shape[0]:
        begin, who = i, user[i]
        x, y, z, many = 0.0, 0.0, 0.0, 0.0
        while i < user.shape[0] and user[i] == who:
            c = cell[i]
            if not np.isnan(points[c, 0]):
                x += events[i] * points[c, 0]
                y += events[i] * points[c, 1]
                z += events[i] * points[c, 2]
                many += events[i]
            i += 1
        length = np.sqrt(x * x + y * y + z * z)
        if many < LEAST_RECORDS or length == 0.0:
            continue
        total = 0.0
        for j in range(begin, i):
            c = cell[j]
            if not np.isnan(points[c, 0]):
                # the chord's length keeps its digits where the angle is small
                dx, dy, dz = points[c, 0] - x / length, points[c, 1] - y / length, points[c, 2] - z / length
                chord = np.sqrt(dx * dx + dy * dy + dz * dz)
                angle = 2.0 * np.arcsin(min(1.0, chord / 2.0))
                total += events[j] * angle * angle
        found[who] = EARTH_KM * np.sqrt(total / many)
    return found
