"""What a load (or a check) came to: counts per feed, why rows were not taken, warnings, what is off."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

OFF = {
    "users": "without users, the numbers of the other feeds are the customers, and nothing is known of them",
    "handsets": "without handsets, offers and apps are not fitted to a handset's system or network",
    "user_handsets": "without user_handsets, nobody's handset is known: no match by handset, no handset scores",
    "apps": "without apps, an app is its identifier alone: no names, categories or own apps",
    "app_usage": "without app_usage, nobody's tastes are known: apps are ranked by what else there is",
    "web_visits": "without web_visits, no use is read from visits",
    "url_rules": "without url_rules, visits are not translated to apps, tags or content",
    "products": "without products, an offer's product is its identifier alone: no plans, needs or exclusions",
    "subscriptions": "without subscriptions, what customers hold is unknown: nothing is excluded, no plan in audiences",
    "bills": "without bills, no usage or spending: no bill in audiences, no data-pack score",
    "channels": "without channels, a channel has no kind, capacity or cost",
    "touches": "without touches, channels are not ranked by how customers use them",
    "offers": "without offers, only apps are matched",
    "responses": "without responses, acceptance is not learned from what was answered before",
    "calls": "without calls, there is no call graph: no circles, communities, leaders, churn or returning customers",
    "cells": "without cells, no places",
    "stores": "without stores, no nearest store",
    "questions": "without questions, none can be put to customers",
}


@dataclass
class Counts:
    """Rows of one feed: `read = taken + quarantined + repeated + withheld`.

    `taken` rows are new in the lake or changed it; of them `replaced` took the place of a row with
    the same key. `repeated` brought nothing new: their file is in force already, a later row or
    part replaces them, or the same row is there. `withheld` calls have a party without a number.
    `values_dropped` counts bad values of optional columns, `dangling` the identifiers, by column,
    that no row of their own feed names.
    """

    read: int = 0
    taken: int = 0
    quarantined: int = 0
    values_dropped: int = 0
    repeated: int = 0
    replaced: int = 0
    withheld: int = 0
    dangling: dict[str, int] = field(default_factory=dict)


@dataclass
class Report:
    feeds: dict[str, Counts] = field(default_factory=dict)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    translation: dict[str, Any] | None = None
    changed: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain values; `changed` says whether anything in the lake is different now, `translation` how many of all
        visits the rules recognise (null without visits)."""
        return asdict(self)

    def tables(self) -> list[Table]:
        """For people: counts per feed, why rows are in the quarantine, and what else there is to know."""
        counts = Table(title="Feeds")
        names = ("read", "taken", "replaced", "repeated", "quarantined", "withheld", "values dropped")
        counts.add_column("feed")
        for name in names:
            counts.add_column(name, justify="right")
        for feed, row in self.feeds.items():
            counts.add_row(feed, *(f"{getattr(row, name.replace(' ', '_')):,}" for name in names))
        found = [counts]
        if self.translation is not None:
            found.append(_coverage(self.translation))
        if self.quarantined:
            found.append(_reasons(self.quarantined))
        if notes := self.notes():
            told = Table("to know", title="Besides")
            for note in notes:
                told.add_row(note)
            found.append(told)
        return found

    def notes(self) -> list[str]:
        """What was ignored, what names nothing, and what is switched off, a sentence each."""
        dangling = [
            f"{feed}: {count:,} identifiers of {column} have no row of their own"
            for feed, counts in self.feeds.items()
            for column, count in counts.dangling.items()
        ]
        return [*self.warnings, *dangling, *self.off]


def _coverage(facts: dict[str, Any]) -> Table:
    table = Table(title="Visits translated by url_rules")
    for name in ("", "all", "recognised", "percent"):
        table.add_column(name, justify="right" if name else "left")
    for name, known in (("visits", "recognised"), ("users", "users_recognised")):
        percent = facts[f"{name}_percent"]
        shown = "" if percent is None else f"{percent:.2f}"
        table.add_row(name, f"{facts[name]:,}", f"{facts[known]:,}", shown)
    return table


def _reasons(quarantined: list[dict[str, Any]]) -> Table:
    table = Table(title="Quarantined rows")
    for name in ("feed", "column", "reason", "rows", "first"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for reason in quarantined:
        table.add_row(*(str(reason[name] or "") for name in ("feed", "column", "reason", "rows", "first")))
    return table


def off(present: set[str]) -> list[str]:
    """What feeds that are in neither the folder nor the lake would have allowed."""
    return [sentence for feed, sentence in OFF.items() if feed not in present]
