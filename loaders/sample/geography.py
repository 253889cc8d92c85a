"""An invented region in the emptiest part of the South Pacific: cities, cells, stores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.streams import Streams

CITY_NAMES = (
    "Vellmar Bay", "Ostmere Point", "Kelderhaven", "Marisol Reach", "Tannwick", "Norrmoor",
    "Quillport", "Saint Averine", "Dunreva", "Halcyon Ford", "Brightfen", "Ulmstead",
)  # fmt: skip
_CENTRE = (-48.9, -123.4)
_KM_LAT = 1 / 111.2
_KM_LON = 1 / (111.2 * np.cos(np.radians(_CENTRE[0])))


@dataclass(frozen=True)
class Geography:
    """Positions in degrees. `cell_bounds` (cities + 1,): the cells of a city lie beside each other."""

    city_share: np.ndarray
    cell_city: np.ndarray
    cell_lat: np.ndarray
    cell_lon: np.ndarray
    cell_bounds: np.ndarray
    store_city: np.ndarray
    store_lat: np.ndarray
    store_lon: np.ndarray

    @property
    def cities(self) -> int:
        return len(self.city_share)

    @property
    def cells(self) -> int:
        return len(self.cell_city)

    def cells_in(self, rng: np.random.Generator, city: np.ndarray) -> np.ndarray:
        """One cell of each given city, those of the centre more often."""
        size = np.diff(self.cell_bounds)[city]
        return (self.cell_bounds[:-1][city] + np.floor(rng.random(len(city)) ** 1.5 * size)).astype(np.int32)


def make_geography(streams: Streams, users: int) -> Geography:
    """Cities by a falling share, their cells from the centre outwards, a store for every eight cells."""
    rng = streams("geography")
    cities = int(np.clip(users // 40, 2, len(CITY_NAMES)))
    share = 1 / (np.arange(cities) + 1.5) ** 0.8
    share /= share.sum()
    cells = int(np.clip(round(6 * users**0.4), 12, 20_000))
    per_city = np.maximum(3, np.round(share * cells)).astype(int)
    bounds = np.r_[0, np.cumsum(per_city)]
    cell_city = np.repeat(np.arange(cities), per_city)
    around = 2 * np.pi * (np.arange(cities) * 0.618)
    centre_km = np.column_stack([np.cos(around), np.sin(around)]) * (30 + 22 * np.arange(cities))[:, None]
    place = (np.arange(len(cell_city)) - bounds[cell_city]) / per_city[cell_city]
    cell_km = _around(rng, centre_km[cell_city], 0.5 + 9 * place)
    stores = np.maximum(1, per_city // 8)
    store_city = np.repeat(np.arange(cities), stores)
    store_km = _around(rng, centre_km[store_city], rng.uniform(0, 7, len(store_city)))
    return Geography(share, cell_city, *_degrees(cell_km), bounds, store_city, *_degrees(store_km))


def _around(rng: np.random.Generator, centre: np.ndarray, radius: np.ndarray) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi, len(centre))
    return centre + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])


def _degrees(km: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.round(_CENTRE[0] + km[:, 0] * _KM_LAT, 6), np.round(_CENTRE[1] + km[:, 1] * _KM_LON, 6)
