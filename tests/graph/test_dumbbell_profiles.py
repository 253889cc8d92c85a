"""What a segment is, in numbers and names."""

import datetime as dt

import numpy as np
import pyarrow as pa

from graph.dumbbell.fits import SCHEMA
from graph.dumbbell.population import Population
from graph.dumbbell.profiles import profile
from graph.dumbbell.segments import Segments

TODAY = dt.date(2026, 7, 1)


def test_size_age_spending_and_what_a_segment_has_more_than_others(fill):
    lake = fill(
        customers=[
            {"user": 1, "birth_year": 1996, "arpu": 10.0},
            {"user": 2, "birth_year": 1986},
            {"user": 3, "birth_year": 2030, "arpu": 5.0},  # not born yet: unknown
            4,
        ],
        apps=[{"app": "c", "name": "Chess"}, {"app": "p", "name": "Paper"}],
    )
    rows = [
        ("one", "app", "c", 0.5, 2.0, None),
        ("one", "app", "odd", 0.5, 3.0, None),
        ("one", "app", "p", 0.9, 1.0, None),  # as everybody
        ("one", "category", "games", 0.4, 1.5, None),
    ]
    fits = pa.table([list(column) for column in zip(*rows, strict=True)], schema=SCHEMA)
    segments = Segments(("one", "two"), np.array([0, 0, 1, 1]), ("young ones", "two"))
    first, second = profile(lake, Population.read(lake), segments, fits, TODAY).to_pylist()
    assert first == {
        "segment": "one",
        "name": "young ones",
        "size": 2,
        "median_age": 35.0,
        "mean_arpu": 10.0,
        "top_categories": ["games"],
        "top_apps": ["odd", "Chess"],
        "top_products": [],
    }
    assert (second["size"], second["median_age"], second["mean_arpu"], second["top_apps"]) == (2, None, 5.0, [])
