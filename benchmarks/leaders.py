"""Are opinion leaders those whom contacts follow? On the sample operator, against what was planted.

    python -m benchmarks.leaders [--users 20000 --months 6 --seed 1]

Planted leaders (1 %) have contacts who adopt after them, decoys (as many, circles alike) have contacts who adopt the
same things at any time. Prints one line of JSON: of the first 100 by score how many are leaders, and decoys; AUC of
leaders against everybody else ranked, by score, position alone and degree alone, and against decoys by score; the share
of each with evidence of .05 or less, and of the others with any evidence, what chance should keep at .05.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import rankdata

from benchmarks.sample_lake import Sample, print_quality
from graph.calls.leaders import position

TOP = 100
LEVEL = 0.05


def auc(score: np.ndarray, yes: np.ndarray, no: np.ndarray) -> float:
    """Probability that one of `yes` scores above one of `no`; half where they are equal."""
    rank = rankdata(score[yes | no])
    ones = yes[yes | no]
    above = rank[ones].sum() - ones.sum() * (ones.sum() + 1) / 2
    return round(float(above / (ones.sum() * (~ones).sum())), 4)


def quality(sample: Sample) -> dict[str, object]:
    feeds, home, _, lake = sample
    planted = pl.read_csv(feeds / "truth" / "leaders.csv", infer_schema=False).unique("number")
    users = home.pseudonyms().of_numbers(planted["number"].to_arrow())
    roles = planted.select(pl.from_arrow(users).alias("user"), "role")  # type: ignore[arg-type, union-attr]
    circles = pl.DataFrame(lake.read("circles", ["user", "period", "contacts"]))
    degree = circles.filter(pl.col("period") == pl.col("period").max()).select("user", "contacts")
    found = pl.DataFrame(lake.read("leaders")).join(roles, on="user", how="left").join(degree, on="user", how="left")
    role = found["role"].fill_null("other").to_numpy()
    leader, decoy = role == "leader", role == "decoy"
    first = found["rank"].to_numpy() <= TOP
    scores = {
        "score": found["score"].to_numpy(),
        "position": position(*(found[name].to_numpy() for name in ("pagerank", "core", "brokerage", "reach"))),
        "degree": found["contacts"].fill_null(0).to_numpy(),
    }
    evidence = found["evidence"].to_numpy()
    told = ~np.isnan(evidence)
    small = np.nan_to_num(evidence, nan=1.0) <= LEVEL
    return {
        "ranked": len(found),
        "leaders": int(leader.sum()),
        "decoys": int(decoy.sum()),
        "precision_at_100": round(float(leader[first].mean()), 3),
        "decoys_at_100": round(float(decoy[first].mean()), 3),
        "auc": {name: auc(score, leader, ~leader) for name, score in scores.items()},
        "auc_against_decoys": auc(scores["score"], leader, decoy),
        "with_evidence": int(told.sum()),
        "evidence_at_05": {
            "leaders": round(float(small[leader].mean()), 3),
            "decoys": round(float(small[decoy].mean()), 3),
            "others_of_those_with_any": round(float(small[told & ~leader & ~decoy].mean()), 4),
        },
    }


if __name__ == "__main__":
    print_quality("leaders", __doc__, quality)
