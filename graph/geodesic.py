"""Distances on the Earth's ellipsoid, and the nearest of many places."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

EQUATOR_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
CANDIDATES = 8


def metres(lat_1: np.ndarray, lon_1: np.ndarray, lat_2: np.ndarray, lon_2: np.ndarray) -> np.ndarray:
    """Length of the shortest way between points given in degrees (WGS 84), by Lambert's formula.

    With β the reduced latitudes, tan β = (1 - f) tan φ, σ the angle between the points on the sphere of β,
    P and Q half the sum and half the difference of β: a (σ - f / 2 (X + Y)), where
    X = (σ - sin σ) sin²P cos²Q / cos²(σ/2) and Y = (σ + sin σ) cos²P sin²Q / sin²(σ/2).
    Off by some ten metres over thousands of kilometres; not for points opposite each other on the globe.
    Source: Lambert (1942); https://en.wikipedia.org/wiki/Geographical_distance

    >>> round(float(metres(np.array(48.8566), np.array(2.3522), np.array(51.5074), np.array(-0.1278))) / 1000)
    344
    """
    beta_1 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat_1)))
    beta_2 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat_2)))
    half_lon = np.radians(np.asarray(lon_2) - lon_1) / 2
    p, q = (beta_1 + beta_2) / 2, (beta_2 - beta_1) / 2
    half = np.sin(q) ** 2 + np.cos(beta_1) * np.cos(beta_2) * np.sin(half_lon) ** 2
    sigma = 2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    near, far = np.maximum(np.sin(sigma / 2) ** 2, 1e-300), np.maximum(np.cos(sigma / 2) ** 2, 1e-12)
    x = (sigma - np.sin(sigma)) * (np.sin(p) * np.cos(q)) ** 2 / far
    y = (sigma + np.sin(sigma)) * (np.cos(p) * np.sin(q)) ** 2 / near
    return EQUATOR_M * (sigma - FLATTENING / 2 * (x + y))


def nearest(
    lat: np.ndarray, lon: np.ndarray, place_lat: np.ndarray, place_lon: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each point the nearest of the places, as its position, and the metres to it; there must be a place.

    Points and places in degrees. The eight nearest on the sphere are measured on the ellipsoid; of equally near
    places the first.
    """
    count = min(CANDIDATES, len(place_lat))
    _, found = cKDTree(on_sphere(place_lat, place_lon)).query(on_sphere(lat, lon), k=np.arange(1, count + 1))
    found = np.sort(found, axis=1)
    distance = metres(lat[:, None], lon[:, None], place_lat[found], place_lon[found])
    best = distance.argmin(axis=1)
    rows = np.arange(len(lat))
    return found[rows, best], distance[rows, best]


def on_sphere(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Points given in degrees on the unit sphere: (n, 3)."""
    phi, lam = np.radians(lat), np.radians(lon)
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
