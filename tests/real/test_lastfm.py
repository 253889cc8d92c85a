"""Real tastes: LastFM's users and artists through load, embed and match; the served scorer must beat popularity."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.lastfm import NEEDED, write_feeds
from benchmarks.matches import data_folder, popularity, pseudonyms_of, quality
from embeddings.snapshot import Snapshot
from embeddings.train import train
from lake.home import Home
from lake.pseudonyms import from_text
from lake.settings import Settings
from lake.tables import Lake
from loaders.load import load

DATA = data_folder("lastfm_social", NEEDED)
pytestmark = pytest.mark.skipif(DATA is None, reason="the LastFM data is not there: name its folder with DUMBBELL_DATA")
K = 10


def test_beats_popularity_twice_over(tmp_path, monkeypatch):
    # The benchmark tries and trains in full.
    monkeypatch.setattr("embeddings.gnn_training.STEPS", (20, 20))
    monkeypatch.setattr("embeddings.trial.WIDTHS", (128,))
    monkeypatch.setattr("embeddings.trial.WEIGHTS", (1.0,))
    monkeypatch.setattr("embeddings.cold.FEWEST_NEW", 1000)  # no training for newcomers alone
    settings = Settings(home=tmp_path / "home")
    assert DATA is not None
    pairs, _, test = write_feeds(DATA, tmp_path / "feeds", seed=0)
    home = Home.open(settings, create=True)
    assert not load(tmp_path / "feeds", home, settings).to_json()["quarantined"]
    result = train(Lake(home.lake), home, settings)
    assert result["table"][result["served"]]["ndcg@20"] > 2 * result["table"]["popularity"]["ndcg@20"]

    snapshot = Snapshot.current(home)
    names = np.unique(test[0])
    users = pseudonyms_of(settings.home, names)
    scores = snapshot.app_scores(snapshot.rows([from_text(text) for text in users]))
    place = {app: i for i, app in enumerate(snapshot.apps)}
    used = np.isin(pairs[0], names)
    columns = [place[str(item)] for item in pairs[1][used]]
    scores[np.searchsorted(names, pairs[0][used]), columns] = -np.inf
    top = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    items = np.array(snapshot.apps, np.int64)[top.ravel()]
    found = quality((np.repeat(names, K), items, np.tile(np.arange(1, K + 1), len(names))), test, K)
    base = popularity(pairs, test, K)
    assert found["recall@10"] > 2 * base["recall@10"]
    assert found["ndcg@10"] > 2 * base["ndcg@10"]
