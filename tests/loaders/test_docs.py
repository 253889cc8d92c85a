"""The feeds' page says what the declarations say, in words for every type."""

from __future__ import annotations

from typing import get_args

from loaders import columns
from loaders.docs import PAGE, TYPES, page
from loaders.feeds import FEEDS
from loaders.report import OFF
from loaders.rules import RULES
from loaders.values import _PARSERS


def test_the_page_is_that_of_the_declarations() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(FEEDS.values()), "renew it: python -m loaders.docs"


def test_every_type_is_told_in_words_and_parsed() -> None:
    assert set(TYPES) == set(get_args(columns.Type)) == set(_PARSERS)


def test_every_feed_and_column_is_on_the_page_with_what_its_absence_costs() -> None:
    text = page(FEEDS.values())
    assert list(OFF) == list(FEEDS)
    for feed in FEEDS.values():
        section = text.split(f"## {feed.name}\n")[1].split("\n## ")[0]
        assert all(f"| `{column.name}` |" in section for column in feed.columns)


def test_rules_name_columns_of_their_feed() -> None:
    assert all(rule.column in FEEDS[rule.feed].names for rule in RULES)


def test_identifiers_refer_to_feeds_with_one_key() -> None:
    for feed in FEEDS.values():
        for column in feed.columns:
            assert column.of is None or len(FEEDS[column.of].key) == 1
