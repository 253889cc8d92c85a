from __future__ import annotations

import numpy as np

from embeddings.snapshot import Snapshot
from embeddings.train import train


def test_trains_a_current_snapshot_that_knows_the_two_tastes(lake, home, settings, write):
    write["two_tastes"](lake)
    result = train(lake, home, settings)
    assert result["current"]
    snapshot = Snapshot.current(home)
    assert snapshot.id == result["snapshot"]
    scores = snapshot.app_scores(np.arange(120))
    even = np.array([int(app[3:]) % 2 == 0 for app in snapshot.apps])
    right = scores[::2][:, even].mean() - scores[::2][:, ~even].mean()
    assert right > 0.5
    assert result["table"]["filter"]["ndcg@20"] > result["table"]["popularity"]["ndcg@20"]
