"""The report page of a snapshot: what was measured, how, and why this is served, as one HTML file that loads nothing.

Made from the metrics alone, so the same snapshot has the same page, and no customer can be on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from embeddings.chances_page import offers_part, uptake_part
from embeddings.charts import CHOSEN, OURS, SIMPLE, Point, bars, dots
from embeddings.evaluate import SHORT, K
from embeddings.figures import SIMPLE_METHODS
from embeddings.tables import (
    NAMES,
    OF_SEGMENT,
    fact_list,
    figures_table,
    html_table,
    interval_text,
    named,
    titled,
    with_interval,
)

TOLD = {"k", "held_out", "cut", "last_day", "users", "served", "choice", "table", "validation", "interval", "lift"}
TOLD |= {
    "lift_interval",
    "margin",
    "baselines",
    "catalogue",
    "segments",
    "cold",
    "cold_items",
    "calls",
    "offers",
    "uptake",
}
"""Metrics with a place of their own on the page; others are listed as they are."""
OF_NEW = {"segment": "popularity among those alike", "calls": "attributes and calls"}
RECALL, NDCG, COVERAGE, NOVELTY, COMMON, GINI = (
    f"{figure}@{K}" for figure in ("recall", "ndcg", "coverage", "novelty", "popularity", "gini")
)
STYLE = """
body{font:15px/1.5 Helvetica,Arial,sans-serif;color:#22303f;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #e3e8ee}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:.3rem .5rem;text-align:right;vertical-align:top}
th{border-bottom:2px solid #22303f}td{border-bottom:1px solid #e3e8ee}th:first-child,td:first-child{text-align:left}
small{color:#6b7885;display:block;white-space:nowrap}
tr.served{background:#fdf0e1}svg{width:100%;height:auto;margin:.6rem 0}
.wide{overflow-x:auto}dt{font-weight:bold}dd{margin:0 0 .5rem 1rem}
"""
GLOSSARY = {
    "Recall@k": "the share of the apps held out that are among the first k; users' mean.",
    "NDCG@k": "the same, but an app counts for 1 / log2(rank + 1), over the best order there could be.",
    "Coverage@k": "the share of the catalogue that is in anybody's first k.",
    "Novelty@k": "mean of -log2 of the share of users of each app in the first k, in bits (Vargas and Castells 2011).",
    "Popularity@k": "mean popularity rank of the first k: 1 is the app used most, 0 the least, .5 a random list.",
    "Gini@k": "how unevenly apps are shown: 0 all alike, 1 all places for one app.",
    "Interval": "95 % of 1,000 bootstrap draws of the measured users.",
    "Lift": "NDCG of what is served over that of popularity for the same users.",
}


def page(metrics: dict[str, Any]) -> str:
    """The page of a snapshot's `metrics`."""
    parts = [
        "<h1>What the embeddings are worth</h1>",
        f"<p>{_summary(metrics)}</p>",
        *(_measured(metrics) if metrics["table"] else []),
        "<h2>Customers and apps without use</h2>",
        "<p>Some customers were made new: all their use was taken away, and is to be found.</p>",
        _of_new(metrics["cold"]),
        "<p>Some apps were made new: among them, those that a customer took up are to be found.</p>",
        _of_new(metrics.get("cold_items", {})),
        "<p>What the people called add, to customers with use (warm) and without (cold):</p>",
        figures_table(metrics.get("calls", {})),
        "<h2>How likely an app is begun</h2>",
        uptake_part(metrics.get("uptake", {})),
        "<h2>Offers</h2>",
        offers_part(metrics.get("offers", {})),
        "<h2>Also measured</h2>",
        fact_list({key: value for key, value in metrics.items() if key not in TOLD}),
        "<h2>The figures</h2>",
        fact_list(GLOSSARY),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Snapshot quality</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _measured(metrics: dict[str, Any]) -> list[str]:
    """What held-out use says of the scorers, where there was any."""
    table = metrics["table"]
    return [
        "<h2>Scorers beside simple methods</h2>",
        _bars(metrics, NDCG),
        _bars(metrics, RECALL),
        _scorers(metrics, [f"recall@{SHORT}", f"ndcg@{SHORT}", RECALL, NDCG]),
        "<h2>What is served, and why</h2>",
        f"<p>{_why(metrics)}</p>",
        _validation(metrics),
        "<h2>Coverage and novelty</h2>",
        f"<p>{_bias(metrics)}</p>",
        _scorers(metrics, [COVERAGE, NOVELTY, COMMON, GINI]),
        bars(
            titled(COVERAGE),
            [(named(n), Point(row[COVERAGE], None, _colour(n, metrics))) for n, row in table.items()],
        ),
        bars(
            titled(NOVELTY),
            [(named(n), _point(row, NOVELTY, _colour(n, metrics))) for n, row in table.items()],
        ),
        "<h2>By segment</h2>",
        _segments(metrics),
        "<h2>How it was measured</h2>",
        f"<p>{_split(metrics)}</p>",
        fact_list(metrics.get("baselines", {}), NAMES),
    ]


def _summary(metrics: dict[str, Any]) -> str:
    served, said = f"<b>{escape(named(metrics['served']))}</b> is served", "; nobody's list could be measured"
    if metrics["served"] == "popularity":
        served += OF_SEGMENT
    if metrics["table"]:
        said = f": NDCG@{K} {metrics['table'][metrics['served']][NDCG]:.4f}, "
        if metrics["lift"] is None:
            said += "where popularity finds nothing"
        else:
            low, high = metrics["lift_interval"]
            said += f"{metrics['lift']:.2f} times popularity's ({low:.2f} to {high:.2f})"
        said += f", over {metrics['users']:,} customers"
    return f"{served}{said}. Held out: {escape(metrics['held_out'])}."


def _why(metrics: dict[str, Any]) -> str:
    table, margin = metrics["table"], metrics["margin"]
    low, high = margin["interval"]
    certain = "surely better" if low > 0 else "surely worse" if high < 0 else "not surely better"
    rules = (
        f"Chosen by the {'same' if metrics['validation']['shared'] else 'tuning'} customers: the better of filter and "
        "GNN, the blend only where it beats that by more than chance, and popularity where none of them is better. "
        f"The best simple method is {escape(named(margin['over']))} with NDCG@{K} {table[margin['over']][NDCG]:.4f}; "
        f"what is served is {certain}: {margin['difference']:+.4f} ({low:+.4f} to {high:+.4f}) for the same customers."
    )
    choice = ", ".join(f"{key} {value}" for key, value in metrics["choice"].items())
    return f"{rules} Parameters: {escape(choice)}."


def _split(metrics: dict[str, Any]) -> str:
    validation = metrics["validation"]
    how = (
        "Held out by time: scorers saw only what was before the first held-out day."
        if metrics["cut"] == "time"
        else "The data has no usable time (or nothing new in its last fifth), so a random fifth of each customer's "
        "apps is held out. Such a cut flatters: what customers take up later is not spread like what they have."
    )
    halves = (
        f"With so few customers, tuning and reporting share all {metrics['users']:,} of them."
        if validation["shared"]
        else f"{validation['users']:,} customers tuned and chose, {metrics['users']:,} others are reported."
    )
    return f"{how} {halves} Apps that the customer used before are not ranked."


def _bias(metrics: dict[str, Any]) -> str:
    row = metrics["table"][metrics["served"]]
    return (
        f"Of {metrics['catalogue']['apps']:,} apps, {row[COVERAGE]:.1%} are in somebody's first {K}. The Gini index of "
        f"how often each is shown is {row[GINI]:.3f}; that of how many use each is {metrics['catalogue']['gini']:.3f}."
    )


def _scorers(metrics: dict[str, Any], columns: Sequence[str]) -> str:
    rows = [
        (
            "served" if name == metrics["served"] else "",
            [escape(named(name)), *[with_interval(row, column) for column in columns]],
        )
        for name, row in metrics["table"].items()
    ]
    return html_table(["scorer", *map(titled, columns)], rows)


def _validation(metrics: dict[str, Any]) -> str:
    tuned = metrics["validation"]
    rows = [
        (
            "served" if name == metrics["served"] else "",
            [escape(named(name)), f"{tuned[name]:.4f}", f"{row[NDCG]:.4f}"],
        )
        for name, row in metrics["table"].items()
        if name in tuned
    ]
    return html_table(["scorer", f"NDCG@{K}, tuning customers", f"NDCG@{K}, reported"], rows)


def _segments(metrics: dict[str, Any]) -> str:
    segments, served = metrics["segments"], metrics["served"]
    shown = [name for name in dict.fromkeys(("popularity", "segment", served)) if name in metrics["table"]]
    points = [
        (
            f"{part['segment']} ({part['users']:,})",
            [
                Point(part[NDCG]["segment"], None, "#6b7885", hollow=True),
                Point(part[NDCG][served], part["interval"], CHOSEN),
            ],
        )
        for part in segments
    ]
    rows = [
        ("", [escape(part["segment"]), f"{part['users']:,}", *[f"{part[NDCG][name]:.4f}" for name in shown]])
        for part in segments
    ]
    legend = f"NDCG@{K}: hollow popularity in segment, filled what is served"
    return dots(legend, points) + html_table(["segment", "customers", *[escape(named(n)) for n in shown]], rows)


def _bars(metrics: dict[str, Any], figure: str) -> str:
    rows = [(named(name), _point(row, figure, _colour(name, metrics))) for name, row in metrics["table"].items()]
    return bars(titled(figure), rows)


def _point(row: dict[str, Any], figure: str, colour: str) -> Point:
    return Point(row[figure], row["interval"].get(figure), colour)


def _colour(name: str, metrics: dict[str, Any]) -> str:
    return CHOSEN if name == metrics["served"] else SIMPLE if name in SIMPLE_METHODS else OURS


def _of_new(rows: dict[str, dict[str, Any]]) -> str:
    """Figures of customers or apps without use, each with its interval, and the lift over popularity in segment."""
    if not rows:
        return "<p>Not measured.</p>"
    columns = list(dict.fromkeys(name for row in rows.values() for name in row if "@" in name))
    cells = [
        [
            escape(OF_NEW.get(scorer, named(scorer))),
            *[with_interval(row, name) if name in row else "" for name in columns],
            f"{row['lift']:.4f}{interval_text(row['lift_interval'])}" if "lift" in row else "",
        ]
        for scorer, row in rows.items()
    ]
    return html_table(["", *map(titled, columns), "times those alike"], [("", row) for row in cells])
