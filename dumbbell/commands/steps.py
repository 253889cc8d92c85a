"""`load`, `analyse`, `embed`, `run`: from feeds to a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from dumbbell import steps
from dumbbell.command import Answer, Call, command, table_of
from dumbbell.commands.feeds import FeedsArgument
from embeddings.tables import OF_SEGMENT
from graph.store import open_store
from lake.home import Home
from loaders.folder import look_into

StrictOption = Annotated[bool, typer.Option("--strict", help="Refuse the whole load at the first bad row.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Train again, and make the result current even if worse.")]


def register(app: typer.Typer) -> None:
    command(app, "load", example="dumbbell load feeds/ --strict", writes=True)(load)
    command(app, "analyse", example="dumbbell analyse", writes=True)(analyse)
    command(app, "embed", example="dumbbell embed --force", writes=True)(embed)
    command(app, "run", example="dumbbell run feeds/", writes=True)(run)


def load(call: Call, feeds: FeedsArgument, strict: StrictOption = False) -> Answer:
    """Load a feed folder: lake, graph, quarantine. Loading it again changes nothing."""
    look_into(feeds)  # refused before a home is made
    home = call.home(create=True)
    with home.writing(call.command, wait=call.wait):
        report = steps.into_lake(home, call.settings, feeds, strict=strict)
        with steps.into_graph(home, call.settings) as (_, graph):
            steps.prepare(home, call.settings)
    return Answer({**report.to_json(), "graph": graph}, tables=report.tables(), lines=graph_lines(graph))


def analyse(call: Call) -> Answer:
    """Read the call graph: contacts, circles, communities, leaders; repeats only what new input makes necessary."""
    home = call.home()
    with home.writing(call.command, wait=call.wait):
        found = steps.analyse(home, call.settings)
        with steps.into_graph(home, call.settings) as (store, _):
            steps.scores_onto_nodes(home, store)
    return Answer(found, lines=off_lines(found))


def embed(call: Call, force: ForceOption = False) -> Answer:
    """Train, measure on held-out recent use, write a snapshot and make it current unless it is worse."""
    home = call.home()
    with home.writing(call.command, wait=call.wait), open_store(home, call.settings) as store:
        found = steps.embed(home, call.settings, store, force=force)
        steps.prepare(home, call.settings)
    return Answer(found, tables=quality_tables(found), lines=embed_lines(found))


def run(call: Call, feeds: FeedsArgument, strict: StrictOption = False) -> Answer:
    """Load, analyse, embed: only what the new input makes necessary."""
    look_into(feeds)  # refused before a home is made
    home = call.home(create=True)
    with home.writing(call.command, wait=call.wait):
        return run_steps(call, home, feeds, strict=strict)


def run_steps(
    call: Call, home: Home, feeds: Path, *, strict: bool = False, ready: Callable[[], object] = lambda: None
) -> Answer:
    """The three steps on a home that the caller holds; the analysis first, so that an import takes its scores along.

    `ready` is called as soon as the graph is filled and its server runs.
    """
    report = steps.into_lake(home, call.settings, feeds, strict=strict)
    analysed = steps.analyse(home, call.settings)
    with steps.into_graph(home, call.settings) as (store, graph):
        ready()
        steps.scores_onto_nodes(home, store)
        embedded = steps.embed(home, call.settings, store)
        steps.prepare(home, call.settings)
    return Answer(
        {**report.to_json(), "graph": graph, "analyse": analysed, "embed": embedded},
        tables=[*report.tables(), *quality_tables(embedded)],
        lines=[*graph_lines(graph), *off_lines(analysed), *embed_lines(embedded)],
    )


def graph_lines(graph: dict[str, Any]) -> list[str]:
    shown = ", ".join(f"{name} {count:,}" for name, count in graph.items() if isinstance(count, int))
    return [f"graph: {shown}"] if shown else []


def off_lines(found: dict[str, Any]) -> list[str]:
    """What a missing feed switched off, where it did."""
    return [str(found["off"])] if "off" in found else []


def quality_tables(found: dict[str, Any]) -> list[Any]:
    """What held-out use says of each scorer, simple methods beside them: how right their lists are, with the 95 %
    interval of the last figure; what the tuning customers said of it, and what the lists are like."""
    scorers: dict[str, dict[str, Any]] = found.get("table") or {}
    if not scorers:
        return []
    names = list(
        dict.fromkeys(key for row in scorers.values() for key, value in row.items() if isinstance(value, float))
    )
    right = [name for name in names if name.startswith(("recall", "ndcg"))]
    like = [name for name in names if name not in right]
    told, tuned = right[-1], found.get("validation", {})
    rows = [
        [scorer, *[_figure(row.get(name)) for name in right], _interval(row, told)] for scorer, row in scorers.items()
    ]
    columns = ["scorer", *right, f"95 % of {told}"]
    tables = [table_of(f"held-out quality of {found['users']:,} customers", columns, rows)]
    if tuned:
        rows = [
            [scorer, _figure(tuned.get(scorer)), *[_figure(row.get(name)) for name in like]]
            for scorer, row in scorers.items()
        ]
        title = f"{told} of the {tuned['users']:,} customers it was tuned by, and what the lists are like"
        tables.append(table_of(title, ["scorer", "tuning", *like], rows))
    return [*tables, *_newcomers(found)]


def _newcomers(found: dict[str, Any]) -> list[Any]:
    """How well customers and apps are known of whom no use was shown; the lift is that over popularity in segment."""
    rows = [
        [what, scorer, *[f"{name} {_figure(row[name])}" for name in names], _interval(row, names[-1]), *_lift(row)]
        for what, key in (("customers", "cold"), ("apps", "cold_items"))
        for scorer, row in found.get(key, {}).items()
        if len(names := [name for name in row if "@" in name]) == 2
    ]
    columns = ["new", "scorer", "recall", "ndcg", "95 % of ndcg", "times segment's", "95 % of that"]
    return [table_of("without use", columns, rows)] if rows else []


def _lift(row: dict[str, Any]) -> list[str | None]:
    ends = row.get("lift_interval")
    return [f"{row['lift']:.2f}", f"{ends[0]:.2f} – {ends[1]:.2f}"] if ends else [None, None]


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _interval(row: dict[str, Any], figure: str) -> str | None:
    ends = row.get("interval", {}).get(figure)
    return f"{ends[0]:.4f} – {ends[1]:.4f}" if ends else None


def embed_lines(found: dict[str, Any]) -> list[str]:
    if "off" in found:
        return off_lines(found)
    id, compared = found["snapshot"], found.get("compared", {"worse": not found["current"]})
    why = f": {compared['why']}" if "why" in compared else ""
    if not found["current"]:
        lines = [f"snapshot {id} is worse than the current one and was not made current{why}"]
        lines.append("`dumbbell embed --force` makes it current all the same")
    else:
        lines = [f"snapshot {id} is current; it serves {_served(found)} (held out: {found['held_out']})"]
        if compared["worse"]:
            lines.append(f"it was forced, although worse than the one before{why}")
        elif why:
            lines.append(compared["why"])
    return [
        *lines,
        *_beside(found),
        *[f"{name} was not measured: {reason}" for name, reason in _left_out(found)],
        *_calls(found),
        *_uptake(found),
        *_new_offers(found),
        *_page(found),
    ]


def _served(found: dict[str, Any]) -> str:
    name: str = found["served"]
    return name + OF_SEGMENT if name == "popularity" else name


def _beside(found: dict[str, Any]) -> list[str]:
    """What is served against the best of the simple methods, customer by customer."""
    if "margin" not in found:
        return []
    margin = found["margin"]
    low, high = margin["interval"]
    sure = "surely better than" if low > 0 else "surely worse than" if high < 0 else "not surely better than"
    difference = f"{margin['difference']:+.4f} ({low:+.4f} to {high:+.4f})"
    return [f"what is served is {sure} the best simple method, {margin['over']}: ndcg@{found['k']} {difference}"]


def _left_out(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, text) for name, text in found.get("baselines", {}).items() if name not in found["table"]]


def _calls(found: dict[str, Any]) -> list[str]:
    """What the people called say of a customer's taste, with use and without."""
    said = []
    for who, key in (("without use", "cold"), ("with use", "warm")):
        if (row := found.get("calls", {}).get(key)) and row["lift"] is not None:
            kept = "kept" if row["kept"] else "not kept, as not surely better"
            said.append(f"for customers {who} {row['lift']:.3f} times the NDCG ({kept})")
    return [f"the people called: {', '.join(said)}"] if said else []


def _uptake(found: dict[str, Any]) -> list[str]:
    """How many of the apps in the first places are begun, and how well the chances that are told say so."""
    told = found.get("uptake", {}).get("deviations") or found.get("uptake", {}).get("shares")
    if not told:
        return []
    return [
        f"of the first {found['k']} apps of other customers {told['seen']:.1%} were begun within "
        f"{found['uptake']['days']} days, {told['expected']:.1%} were expected; chances are off by {told['ece']:.4f} "
        "on the mean"
    ]


def _new_offers(found: dict[str, Any]) -> list[str]:
    """What is expected of offers without responses, and how sure it is that this is better than the mean."""
    new = found.get("offers", {}).get("new", {})
    if "gain" not in new:
        return []
    gain = new["gain"]["facts over mean"]
    low, high = gain["interval"]
    told = {"facts": "what is known of them", "segment": "popularity in segment", "mean": "the mean of the others"}
    return [
        f"offers without responses are served by {told[new['served']]}: what is known of them lowers the log loss by "
        f"{gain['log_loss']:+.5f} ({low:+.5f} to {high:+.5f}), {new['offers']} offers left out in turn"
    ]


def _page(found: dict[str, Any]) -> list[str]:
    return [f"report page: {found['report']}"] if "report" in found else []
