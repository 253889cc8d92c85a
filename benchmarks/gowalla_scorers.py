"""Each scorer alone on Gowalla (LightGCN's split): the filter, the trained GNN and the blend, fitted and chosen as
`dumbbell embed` does, then ranked for the test's users in full.

    python -m benchmarks.gowalla_scorers [--data DIR] [--only filter] [--loss .12 1.35 .5]

What is tuned is tuned on a random fifth of the training pairs; the test is read once, at the end. Prints one line of
JSON: Recall@20 and NDCG@20 on the cut and on the test, and seconds, by the clock and of processor time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.gowalla import NEEDED, K, edges_of, graph_of, read_pairs
from benchmarks.looks import looked
from benchmarks.matches import data_folder
from benchmarks.watched import timed
from embeddings.arithmetic import fixed_threads
from embeddings.batches import Loss
from embeddings.evaluate import measure
from embeddings.gnn_training import LONG, GNNScorer
from embeddings.losses import best_loss
from embeddings.popularity import EVERYBODY, Segments
from embeddings.scorer import Vectors, joined
from embeddings.split import Split, random_cut
from embeddings.trial import Trial


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds gowalla/ (default: DUMBBELL_DATA)")
    parser.add_argument("--only", choices=("filter",), help="leave the trained scorer out")
    parser.add_argument("--loss", type=float, nargs=3, metavar=("τ", "C", "P"), help="of the GNN (default: tried)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = data_folder("gowalla", NEEDED, options.data)
    if data is None:
        sys.exit("the Gowalla data is not there: name its folder with --data or DUMBBELL_DATA")
    train = read_pairs(data / NEEDED[0])
    shape = int(train[0].max()) + 1, 40_981  # LightGCN's README: a few places stand in the test alone
    graph, seconds = graph_of(edges_of(train, shape)), defaultdict[str, dict[str, float]](dict)
    with fixed_threads() as threads:
        mask = random_cut(graph.uses, options.seed)
        past = replace(graph, uses=graph.uses.keep(~mask))
        held = Split(past, graph.uses.keep(mask), graph.holds, "a random fifth of each user's places", None)
        trial = Trial(held, Segments(pa.array([EVERYBODY]), np.zeros(shape[0], np.int32)), options.seed)
        with timed(seconds["tune_filter"]):
            low_pass, filtered = trial.best_filter()
        tuned, fitted = {"filter": filtered}, dict[str, Vectors]()
        with timed(seconds["fit_filter"]):
            fitted["filter"] = low_pass.fit(graph)
        chosen = {name: value for name, value in asdict(low_pass).items() if name != "seed"}
        if not options.only:
            with timed(seconds["tune_gnn"]):
                tried = None if options.loss else best_loss(GNNScorer(seed=options.seed), trial, filtered)[0]
                loss = Loss(*options.loss) if tried is None else tried.loss
            chosen |= loss._asdict()
            first, whole = (GNNScorer(seed=options.seed, epochs=LONG, loss=loss) for _ in range(2))
            with timed(seconds["fit_gnn_on_the_cut"]):
                tuned["gnn"] = first.fit_all(past).apps
            chosen["weight"], tuned["blend"] = trial.best_blend(filtered, tuned["gnn"])
            with timed(seconds["fit_gnn"]):
                fitted["gnn"] = whole.fit_all(graph).apps
            fitted["blend"] = joined(fitted["filter"], fitted["gnn"], chosen["weight"])
        on_cut = {name: trial.quality(v.scores, trial.reporting).summary() for name, v in tuned.items()}
        test = edges_of(read_pairs(data / NEEDED[1]), shape)
        looks = looked("gowalla")
        everybody = np.unique(test.users)
        found = {
            name: measure(v.scores, graph.uses.matrix(), test.matrix(), everybody, K).summary()
            for name, v in fitted.items()
        }
    line = {"benchmark": "gowalla_scorers", "test": found, "cut": on_cut, "chosen": chosen, "seconds": seconds}
    print(json.dumps({**line, "threads": threads, "looks": looks}))


if __name__ == "__main__":
    main()
