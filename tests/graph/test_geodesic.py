"""Distances on the ellipsoid, against published ones, and the nearest of many against trying all."""

import numpy as np
import pytest

from graph.geodesic import metres, nearest


def distance(*degrees):
    return float(metres(*(np.array(d, float) for d in degrees)))


def test_a_quarter_meridian_and_a_degree_of_the_equator():
    # WGS 84: 10,001,965.729 m from equator to pole, 111,319.491 m a degree of longitude at the equator
    assert distance(0, 0, 90, 0) == pytest.approx(10_001_965.729, abs=50)
    assert distance(0, 0, 0, 1) == pytest.approx(111_319.491, abs=0.01)


def test_a_short_way_north_and_one_over_the_date_line():
    # a degree of latitude around 50.005° is 111,230 m long (WGS 84)
    assert distance(50.0, 8.0, 50.01, 8.0) == pytest.approx(1_112.3, abs=0.1)
    assert distance(0, 179.5, 0, -179.5) == pytest.approx(111_319.491, abs=0.01)


def test_the_same_point_and_symmetry():
    assert distance(12.3, 45.6, 12.3, 45.6) == 0
    assert distance(10, 20, -30, 100) == pytest.approx(distance(-30, 100, 10, 20))


@pytest.mark.parametrize("places", [1, 3, 50])
def test_the_nearest_is_the_one_that_trying_all_finds(places):
    random = np.random.default_rng(places)
    lat, lon = random.uniform(-85, 85, 200), random.uniform(-180, 180, 200)
    place_lat, place_lon = random.uniform(-85, 85, places), random.uniform(-180, 180, places)
    found, how_far = nearest(lat, lon, place_lat, place_lon)
    everything = metres(lat[:, None], lon[:, None], place_lat[None], place_lon[None])
    assert how_far == pytest.approx(everything.min(axis=1))
    assert (found == everything.argmin(axis=1)).all()


def test_of_equal_places_the_first():
    zero = np.zeros(1)
    assert nearest(zero, zero, np.ones(3), np.ones(3))[0].tolist() == [0]
