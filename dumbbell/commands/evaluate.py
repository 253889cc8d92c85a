"""`evaluate`: what the arbitration of offers would have been answered, from the log of what was shown."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

import typer

from dumbbell import steps
from dumbbell.command import Answer, Call, command, table_of
from dumbbell.next_step import require_something_to_match
from lake.errors import BadValue
from lake.home import Home
from lake.periods import first_day
from lake.progress import working
from lake.settings import Settings
from lake.tables import Lake
from matching.evaluate import AS_SHOWN, FEW, OURS, POLICIES, evaluate
from matching.logged import accepted_by_month, read_closed, read_shown

SinceOption = Annotated[str, typer.Option("--since", help="The month (2026-06) that is held out, and those after it.")]
NAMES = {name: words for name, (words, _) in POLICIES.items()} | {AS_SHOWN: "what was shown, whoever chose it"}


def register(app: typer.Typer) -> None:
    command(app, "evaluate", example="dumbbell evaluate --since 2026-06", writes=True)(evaluate_offers)


def evaluate_offers(call: Call, since: SinceOption = "") -> Answer:
    """Estimate what our choice of offers would have been answered, beside simpler ways to choose.

    Everything is learned again from what was known before a month began; the showings since are what it is held
    against: by inverse probability, normalised, and doubly robust, with 95 % bootstrap intervals over customers.
    Without --since, the latest month with 50 acceptances from it on. Nothing that serves is changed.
    """
    home = call.home()
    with home.writing(call.command, wait=call.wait):
        require_something_to_match(Lake(home.lake))
        steps.answers_into_lake(home, call.settings)
        facts = found(home, call.settings, since)
    return Answer(facts, tables=tables(facts), lines=lines(facts))


def found(home: Home, settings: Settings, since: str = "") -> dict[str, Any]:
    """What `evaluate` says, as JSON; the caller holds the home for writing."""
    lake = Lake(home.lake)
    months = accepted_by_month(lake)
    month = _month(since) if since else latest(months)
    nothing = {"since": month, "policies": dict.fromkeys(NAMES)}
    before, after = (sum(n for m, n in months.items() if (m < (month or "")) is early) for early in (True, False))
    if month is None or min(before, after) < FEW:
        why = f"there are {before} acceptances before {month} and {after} since" if month else "nothing was ever shown"
        return {**nothing, "off": f"{why}: {FEW} of each are needed to tell how offers are chosen"}
    begin = dt.datetime.combine(first_day(month), dt.time(), settings.zone).astimezone(dt.UTC).replace(tzinfo=None)
    with steps.as_of(home, settings, month) as (state, metrics), working("what was shown since"):
        shown, closed = read_shown(lake, state, begin), read_closed(lake, state, begin)
        facts = evaluate(lake, state, shown, closed)
    return {"since": month, "learned_acceptance": bool(metrics["offers"]["served"]), **facts}


def latest(months: dict[str, int]) -> str | None:
    """The latest month with `FEW` acceptances from it on; the last one where there are not so many.

    >>> latest({"2026-04": 70, "2026-05": 40, "2026-06": 20}), latest({})
    ('2026-05', None)
    """
    total = 0
    for month in sorted(months, reverse=True):
        total += months[month]
        if total >= FEW:
            return month
    return max(months, default=None)


def _month(text: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise BadValue(f"--since is {text}", "name a month, as 2026-06")
    return text


def tables(facts: dict[str, Any]) -> list[Any]:
    if "off" in facts:
        return []
    policies = facts["policies"]
    columns = ["policy", "chooses", "inverse probability", "normalised", "doubly robust", "ours more"]
    rows = []
    for name, words in NAMES.items():
        of = policies[name]["acceptance"]
        more = of["doubly_robust"].get("ours_more")
        rows.append([name, words, *[_percent(of[kind]) for kind in of], _percent(more) if more else None])
    shown = [table_of(f"acceptance expected of {facts['shown']:,} showings since {facts['since']}, %", columns, rows)]
    if policies[OURS]["margin"] is not None:
        rows = []
        for name, words in NAMES.items():
            of = policies[name]["margin"]
            more = of["doubly_robust"].get("ours_more")
            rows.append([name, words, *[_plain(of[kind]) for kind in of], _plain(more) if more else None])
        shown.append(table_of("margin expected of a showing", columns, rows))
    support = ["agrees with the log", "covered", "effective showings", "weights cut", "never shown"]
    rows = []
    for name in POLICIES:
        of = policies[name]["support"]
        rows.append([name, of["agreement"], of["covered"], of["effective"], of["clipped"], of["never_shown"]])
    shown.append(table_of("what the log can tell of", ["policy", *support], rows))
    return shown


def lines(facts: dict[str, Any]) -> list[str]:
    if "off" in facts:
        return [facts["off"]]
    said = []
    for name in POLICIES:
        if name != OURS:
            more = facts["policies"][name]["acceptance"]["doubly_robust"]["ours_more"]
            low, high = more["interval"]
            sure = "surely more" if low > 0 else "surely less" if high < 0 else "not surely different"
            said.append(f"{name} {sure}" if sure.startswith("not") else f"{sure} than {name}")
    told = facts["probabilities"]
    probability = f"the probability of having been shown was logged for {told['logged']:.0%} of the showings"
    if "fit" in told:
        fit = told["fit"]
        probability += (
            f" and estimated for the others: mean distance from what was shown {fit['ece']:.4f}, log loss"
            f" {fit['log_loss']:.3f} where equal chances have {fit['log_loss_of_equal_chances']:.3f}"
        )
    model = facts["expected"]
    return [
        f"arbitration is accepted, by the doubly robust estimate: {', '.join(said)}",
        probability,
        f"acceptance expected of what was shown: {model['expected']:.2%} (AUC {model['auc']:.3f}, calibration error"
        f" {model['ece']:.3f}); {facts['accepted'] / facts['shown']:.2%} were accepted",
        f"{facts['position']}; left out: "
        + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in facts["left_out"].items()),
    ]


def _percent(said: dict[str, Any]) -> str | None:
    return _with_interval(said, lambda value: f"{100 * value:.2f}")


def _plain(said: dict[str, Any]) -> str | None:
    return _with_interval(said, lambda value: f"{value:.3f}")


def _with_interval(said: dict[str, Any], shown: Any) -> str | None:
    if said["mean"] is None:
        return None
    low, high = said["interval"]
    return f"{shown(said['mean'])} ({shown(low)} to {shown(high)})"
