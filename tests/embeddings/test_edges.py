"""Odd customers and odd rows in one small lake: each has an answer, and none spoils the others'."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from embeddings.catalogue import user_bytes
from embeddings.snapshot import Snapshot
from embeddings.train import read_graph, train
from lake.home import Home
from lake.pseudonyms import to_text
from lake.settings import load_settings
from lake.tables import Lake
from tests.embeddings.conftest import user, write_customers, write_usage

TWO_TASTES, LONELY, SILENT = 40, 40, range(41, 60)
NAN = float("nan")


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> tuple[Lake, Snapshot, dict]:
    """Forty customers of two tastes, one with one app, nineteen without use.

    `all` is used by everybody who uses any, `gone` is no longer in the catalogue, `shelf` is there and unused.
    """
    settings = load_settings(home=tmp_path_factory.mktemp("odd") / "home")
    home = Home.open(settings, create=True)
    lake = Lake(home.lake)
    write_customers(lake, 60)
    rng = np.random.default_rng(0)
    rows: list[tuple] = [(LONELY, "all", 3)]
    for u in range(TWO_TASTES):
        mine = rng.permutation(np.arange(u % 2, 24, 2))[:6]
        rows += [(u, f"app{a:02d}", int(day)) for a, day in zip(mine, rng.integers(0, 31, 6), strict=True)]
        rows += [(u, "all", 0), (u, "gone", 1)]
    rows += [
        (0, "all", 0, 7, 600.0, 2.0),  # the same app and day again, stronger
        (0, "all", 5, 1, NAN, NAN),
        (1, "all", 5, -3, -60.0, -5.0),
    ]
    write_usage(lake, rows)
    names = [*sorted({row[1] for row in rows} - {"gone"}), "shelf"]
    lake.write("apps", pa.table({"app": names, "name": names}))
    result = train(lake, home, settings)
    return lake, Snapshot.current(home), result


def test_every_score_is_a_number(odd):
    _, snapshot, result = odd
    scores = snapshot.app_scores(np.arange(-1, 60))
    assert scores.shape == (61, len(snapshot.apps))
    assert np.isfinite(scores).all()
    assert result["current"]


def test_a_customer_with_one_app_and_those_without_get_an_order(odd):
    _, snapshot, _ = odd
    scores = snapshot.app_scores(np.array([LONELY, *SILENT]))
    assert (scores.std(axis=1) > 0).all()


def test_repeated_rows_are_one_edge_with_their_sum_and_bad_amounts_count_as_none(odd):
    lake, _, _ = odd
    graph = read_graph(lake)
    every = graph.nodes.apps.to_pylist().index("all")
    edges = graph.uses.keep(graph.uses.items == every)
    assert len(edges) == TWO_TASTES + 1
    assert edges.strength[0] == pytest.approx(1 + np.log1p(9) + np.log1p(11))  # 1 + 7 + 1 sessions, 1 + 10 minutes
    assert edges.strength[1] == pytest.approx(1 + np.log1p(1) + np.log1p(1))
    assert (edges.first[:2] == edges.first[2]).all()


def test_an_app_used_by_all_and_one_used_by_nobody_do_not_hide_the_tastes(odd):
    _, snapshot, _ = odd
    assert snapshot.app_popularity[snapshot.apps.index("all")] == 1
    assert snapshot.app_popularity[snapshot.apps.index("shelf")] == 0
    scores = snapshot.app_scores(np.arange(TWO_TASTES))
    even, odd_ones = (
        [i for i, a in enumerate(snapshot.apps) if a[3:].isdigit() and int(a[3:]) % 2 == k] for k in (0, 1)
    )
    assert scores[::2][:, even].mean() > scores[::2][:, odd_ones].mean()
    assert scores[1::2][:, odd_ones].mean() > scores[1::2][:, even].mean()


def test_an_app_removed_since_is_learned_from_as_long_as_its_use_is_known(odd):
    _, snapshot, _ = odd
    assert "gone" in snapshot.apps
    assert snapshot.app_popularity[snapshot.apps.index("gone")] == pytest.approx(TWO_TASTES / (TWO_TASTES + 1))


def test_customers_without_use_are_not_measured(odd):
    _, _, result = odd
    assert result["users"] <= TWO_TASTES + 1
    assert result["catalogue"]["users"] == TWO_TASTES + 1


def test_the_page_names_no_customer(odd):
    _, snapshot, _ = odd
    text = (snapshot.folder / "report.html").read_text()
    assert text.startswith("<!doctype html>")
    pseudonyms = to_text(pa.array([user(u) for u in range(60)])).to_pylist()
    assert not any(p in text or p.replace("-", "") in text for p in pseudonyms)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_customers_without_use_cost_bytes_not_objects(lake, write):
    """Ten million of them are 160 MB of pseudonyms, 40 MB of segments and degrees each; here fifty thousand."""
    count = 50_000
    lake.write("customers", pa.table({"user": [user(i) for i in range(count)], "off_net": np.zeros(count, bool)}))
    write["usage"](lake, [(u, f"app{u % 3}", u % 30) for u in range(30)])
    graph = read_graph(lake)
    assert user_bytes(graph.nodes.users).shape == (count, 16)
    assert graph.nodes.users.nbytes <= 21 * count
    assert len(graph.uses) == 30
    assert graph.uses.matrix().indptr.nbytes <= 8 * (count + 1)
