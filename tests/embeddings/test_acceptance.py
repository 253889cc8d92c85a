"""On the sample operator: .1 means one in ten on later answers, and what is learned is the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embeddings.acceptance import Trial, learn, measure
from embeddings.graph import Graph
from embeddings.popularity import Segments, read_segments
from embeddings.split import Split, split
from embeddings.train import read_graph
from graph.dumbbell import build as build_dumbbell
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from loaders.load import load
from loaders.sample.write import write_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, Graph, Segments, Split, Trial]:
    folder: Path = tmp_path_factory.mktemp("acceptance")
    write_sample(folder / "feeds", users=4000, months=4, seed=1)
    settings = load_settings(home=folder / "home")
    home = Home.open(settings, create=True)
    load(folder / "feeds", home, settings)
    lake = Lake(home.lake)
    build_dumbbell(lake, settings)
    graph = read_graph(lake)
    segments = read_segments(lake, graph.nodes)
    held = split(lake, graph, 0)
    return lake, graph, segments, held, measure(lake, held, segments, None, 0)


def test_one_in_ten_means_one_in_ten(sample):
    metrics = sample[-1].metrics
    expected, shown = metrics["table"]["model"]["expected"], metrics["shown"]
    parts = metrics["reliability"]
    measured = sum(part["shown"] for part in parts)
    assert shown > measured > 1000
    for part in [*parts, {"shown": measured, "expected": expected, "accepted": metrics["seen"]}]:
        error = np.sqrt(part["expected"] * (1 - part["expected"]) / part["shown"])
        assert abs(part["accepted"] - part["expected"]) < 3.5 * error, part  # 11 looks: 1 in 200 by chance


def test_it_is_held_against_rates_and_served_where_surely_better(sample):
    metrics = sample[-1].metrics
    table, gains = metrics["table"], metrics["gain"]
    assert table["model"]["log_loss"] < table["rates"]["log_loss"]
    assert table["model"]["auc"] > table["rates"]["auc"]
    assert metrics["served"] == all(each["interval"][0] > 0 for each in gains.values())
    assert metrics["probabilities"] == {"logged": 1.0, "estimated": 0.0}


def test_the_same_answers_give_the_same_arrays(sample):
    lake, graph, segments, held, trial = sample
    again = measure(lake, held, segments, None, 0)
    assert again.metrics == trial.metrics
    one, two = learn(lake, graph, segments, trial), learn(lake, graph, segments, again)
    assert one.arrays.keys() == two.arrays.keys()
    assert all(np.array_equal(one.arrays[name], two.arrays[name]) for name in one.arrays)
    if trial.chosen is not None:
        assert one.arrays["offer_users"].shape[0] == len(graph.nodes.users)
        assert one.arrays["offer_weights"].shape == (
            len(trial.setting.offers) + 1,
            1 + one.arrays["offer_users"].shape[1],
        )
