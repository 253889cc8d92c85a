from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from embeddings.charts import Point, bars, dots
from embeddings.report import page

ROW = {f"{name}@{k}": 0.1 for name in ("recall", "ndcg") for k in (10, 20)} | {
    **{f"{name}@20": 0.5 for name in ("novelty", "popularity", "coverage", "gini")},
    "interval": {"ndcg@20": [0.05, 0.15]},
}
METRICS = {
    "k": 20,
    "held_out": "apps first used from 2026-01-26 on",
    "cut": "time",
    "users": 120,
    "served": "filter",
    "choice": {"width": 8},
    "table": {"popularity": ROW, "segment": ROW, "als": ROW, "filter": ROW},
    "validation": {"users": 100, "shared": False, "popularity": 0.1, "filter": 0.2},
    "lift": 2.0,
    "lift_interval": [1.5, 2.5],
    "margin": {"over": "als", "difference": 0.01, "interval": [-0.01, 0.03]},
    "baselines": {"als": "64 factors", "ease": "9,000 apps: too many"},
    "catalogue": {"apps": 80, "users": 120, "gini": 0.3},
    "segments": [
        {
            "segment": "<b>young & new",
            "users": 7,
            "interval": [0.1, 0.3],
            "ndcg@20": dict.fromkeys(("popularity", "segment", "filter"), 0.2),
        }
    ],
    "cold": {
        "popularity": {"recall@20": 0.1},
        "attributes": {
            "recall@20": 0.2,
            "interval": {"recall@20": [0.15, 0.25]},
            "lift": 2.0,
            "lift_interval": [1.5, 3],
        },
    },
    "uptake": {
        "days": 36,
        "deviations": {"ece": 0.002, "reliability": [{"shown": 500, "expected": 0.02, "accepted": 0.03}]},
    },
    "offers": {
        "calibration": 0.01,
        "new": {
            "offers": 16,
            "shown": 9000,
            "left_out": "each offer alone",
            "table": {"mean": {"log_loss": 0.25, "auc": 0.5, "interval": {"log_loss": [0.2, 0.3], "auc": [0.4, 0.6]}}},
            "gain": {"facts over mean": {"log_loss": 0.001, "interval": [-0.002, 0.003], "auc": 0.02}},
            "served": "mean",
        },
    },
}


def test_the_page_is_whole_escaped_and_loads_nothing():
    text = page(METRICS)
    assert "&lt;b&gt;young &amp; new" in text
    assert "<b>young" not in text
    assert not re.search(r"<(script|link|img)|url\(|src=", text)
    for words in (
        "graph filter</b> is served",
        "not surely better",
        "9,000 apps: too many",
        "100 customers tuned",
        "calibration",
        "begins to use an app within 36 days",
        "customers with use: share begun: hollow expected",
        "Offers without responses: mean of the other offers",
        "0.2500<small>0.2000–0.3000",
        "+0.00100",
        "0.2000<small>0.1500–0.2500",
        "2.0000<small>1.5000–3.0000",
    ):
        assert words in text
    assert page(METRICS) == text


def test_what_was_not_measured_is_not_a_figure():
    nothing = {"table": {}, "lift": None, "lift_interval": None, "baselines": {}, "segments": [], "cold": {}}
    text = page(
        {**{k: v for k, v in METRICS.items() if k not in ("margin", "uptake", "offers")}, **nothing, "users": 0}
    )
    assert "nobody's list could be measured" in text
    assert "<svg" not in text
    assert "Not measured." in text
    calls = {"cold": {"without": 0.0, "with": 0.1, "lift": None}}
    text = page({**METRICS, "served": "popularity", "lift": None, "lift_interval": None, "calls": calls})
    assert "where popularity finds nothing" in text
    assert "None" not in text
    assert "<th>popularity</th><th>popularity in segment</th></tr>" in text  # what is served is one column


def test_each_chart_is_well_formed_and_bars_are_as_long_as_their_figures():
    for chart in re.findall(r"<svg.*?</svg>", page(METRICS)):
        ElementTree.fromstring(chart)
    widths = [
        float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', bars("x", [("a", Point(1.0)), ("b", Point(4.0))]))
    ]
    assert widths[1] == 4 * widths[0]


def test_charts_of_zeros_and_of_nothing():
    assert bars("x", [("a", Point(0.0, (0.0, 0.0)))]).endswith("</svg>")
    assert dots("x", []).endswith("</svg>")
