"""The feeds' page, written from their declarations: `python -m loaders.docs` renews docs/feeds.md."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from pathlib import Path

from loaders.columns import Column, Feed
from loaders.feeds import FEEDS
from loaders.report import OFF
from loaders.rules import RULES

PAGE = Path(__file__).parent.parent / "docs" / "feeds.md"

TYPES = {
    "number": "a telephone number: spaces and `-./()` are dropped; `+`, or `00` before more than 6 digits, is taken "
    "off; without either, where `DUMBBELL_COUNTRY` is set, the trunk prefix is taken off and the calling code put "
    "before; up to 6 digits stay as given; not more than 15 digits, no letter",
    "hashed": "any text; a pseudonym of it is kept, nothing else",
    "id": "an identifier: any text",
    "handset": "a TAC or a model id; an IMEI (14 to 16 digits) is cut to its TAC (8)",
    "text": "any text",
    "date": "`YYYY-MM-DD`",
    "moment": "ISO 8601, with an offset or in `DUMBBELL_TIMEZONE`: an hour that occurs twice is the first, one that "
    "does not occur is bad; years 1970 to 2199",
    "date or moment": "`YYYY-MM-DD` or a moment",
    "month": "`YYYY-MM`",
    "integer": "a whole number of up to 18 digits",
    "decimal": "a decimal with a point; money is in the operator's currency, credits negative",
    "boolean": "`true` or `false`",
    "choice": "one of the values listed, in letters of any size",
    "list": "identifiers separated by `;`",
    "url": "a host, or a host and a path; scheme, a user's name, query and fragment are dropped",
    "condition": "`field op value` joined by `and`, `or`, `not` and brackets (`loaders/conditions.py`)",
}
"""What a value of each type is, in words."""

_HEAD = """# Feeds

What an operator hands in. A feed folder holds one file, or one folder of parts, per feed (not both): `calls.csv`,
`calls.parquet`, or `calls/2026-05.parquet, calls/2026-06.csv, …`. CSV is RFC 4180 with a header row, in UTF-8, or in
GB18030 with `DUMBBELL_ENCODING=gb18030`. Every feed but `users` is optional, and it can do without that; other names
in the folder are ignored, and said.

This page is made from the declarations that every row is checked by (`python -m loaders.docs`).

## Rules for all feeds

- Column order is free. A column that the feed does not name is left out, with one warning. A feed without a required
  column, or with a column twice, is refused, and with it the folder.
- Numbers, `person` and `account` become pseudonyms while they are read. No raw number is stored, logged or shown.
- A row whose required value is missing or bad goes to the quarantine with file, line and reason, and never stops the
  rest (`--strict` stops at the first). A bad value in an optional column is dropped and counted; the row stays.
- Space around a value is no part of it; an empty cell is no value.
- **Keyed feeds**: a later row with the same key replaces the earlier one. There, a column that its file lacks keeps
  the old value, and an empty cell clears it.
- **Event feeds**: a file whose bytes are in force is skipped; a part named for a month (`calls/2026-05.csv`) is that
  month whole and replaces it (a row of another month is quarantined); any other file adds.
- An identifier that no row of its own feed names is counted in the report, and is a node with its key alone.

## Types
"""


def page(feeds: Iterable[Feed]) -> str:
    """The page's Markdown."""
    types = ["| type | what it takes |", "|---|---|", *[f"| {name} | {words} |" for name, words in TYPES.items()], ""]
    return "\n".join([_HEAD, *types, *[_section(feed) for feed in feeds]])


def _section(feed: Feed) -> str:
    key = _listed(c.name for c in feed.columns if c.key)
    kind = "An event feed, kept by month." if feed.event else f"Keyed by {key}."
    lines = [f"## {feed.name}", "", f"{_sentence(feed.doc)} {kind} {_sentence(OFF[feed.name])}", ""]
    lines += ["| column | type | | values | meaning |", "|---|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.type} | {_need(c)} | {_allowed(c)} | {_meaning(c)} |" for c in feed.columns]
    rules = [f"A row is quarantined when `{r.column}` {r.reason}." for r in RULES if r.feed == feed.name]
    return "\n".join([*lines, "", *[line for rule in rules for line in (rule, "")]])


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _need(column: Column) -> str:
    if column.default is not None:
        return f"default `{str(column.default).lower()}`"
    return "key" if column.key else "required" if column.required else ""


def _allowed(column: Column) -> str:
    if column.allowed:
        return _listed(column.allowed)
    low = "" if column.low is None else f"from {column.low:.0f}"
    high = (
        ""
        if column.high is None
        else f"to {column.high:.0f}"
        if column.high < 10_000
        else f"to 10^{math.log10(column.high):.0f}"
    )
    return f"{low} {high}".strip()


def _meaning(column: Column) -> str:
    parts = [column.doc] if column.doc else []
    if column.of is not None:
        parts.append(f"of [{column.of}](#{column.of})")
    return "; ".join(parts)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page(FEEDS.values()), encoding="utf-8")
    sys.stderr.write(f"{PAGE} written\n")
