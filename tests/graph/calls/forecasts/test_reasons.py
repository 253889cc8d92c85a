"""Sentences of reasons, and that every feature has one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from graph.calls.forecasts.forecast import feature_names
from graph.calls.forecasts.reasons import reasons
from graph.calls.forecasts.words import GROUPS, _days
from tests.graph.calls.forecasts.made import featured
from tests.graph.calls.world import call, world

NAMES = [name for group in GROUPS.values() for name in group.features]


def said(group: str, **values: float) -> str:
    return GROUPS[group].say({**dict.fromkeys(NAMES, float("nan")), **values})


@pytest.mark.parametrize(
    ("group", "values", "sentence"),
    [
        ("circle", {"lost": 3, "kept": 6}, "no longer speaks with 3 of the 9 people of the period before"),
        ("circle", {"contacts": 1}, "speaks with 1 person"),
        ("contract", {"contract_days": 12}, "the contract ends in 12 days"),
        ("contract", {"contract_days": -1}, "the contract ended 1 day ago"),
        ("contract", {}, "no contract is running"),
        ("dropped calls", {"dropped_calls": 12, "dropped_calls_usual": 4}, "dropped calls: 12, usually 4"),
        ("dropped calls", {}, "no dropped calls are known"),
        ("contacts who left", {"contacts_left_1": 2}, "2 people of the last period's calls left the network"),
        ("handset", {"handset_days": 400}, "the same handset for 13 months"),
        ("handset", {"handset_days": 20, "handset_price_change": 0.5}, "a cheaper handset for 20 days"),
        ("plan", {"mb": 900, "plan_mb": 1000, "plan_fee": 9}, "has used 90% of the plan's data"),
    ],
)
def test_a_sentence(group: str, values: dict[str, float], sentence: str) -> None:
    assert said(group, **values) == sentence


def test_nothing_known_can_be_said_of_everything() -> None:
    for name in GROUPS:
        if "contacts" not in GROUPS[name].features:
            assert "nan" not in said(name, contacts=0, contacts_left_1=0, packs=0, services=0)
    assert _days(1) == "1 day"


def test_every_feature_is_in_one_group(tmp_path: Path) -> None:
    history = featured(world(tmp_path, [call("a", "b", "2026-05-01 10:00:00"), call("b", "a", "2026-06-01 10:00:00")]))
    assert sorted(feature_names(history)) == sorted(NAMES)
    assert max(Counter(NAMES).values()) == 1


def test_the_highest_groups_come_first_and_small_ones_not_at_all() -> None:
    names = ["lost", "kept", "contract_days", "tenure"]
    X = np.array([[3, 6, 12, 50], [0, 5, 300, 900]], np.float32)
    pushes = np.array([[0.2, 0.3, 1.0, 0.01], [-1.0, -1.0, 0.05, -0.2]])
    found = reasons(X, pushes, names).to_pylist()
    assert [(one["feature"], one["contribution"]) for one in found[0]] == [("contract", 1.0), ("circle", 0.5)]
    assert found[1] == []


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_words_where_all_is_known(group: str) -> None:
    words = GROUPS[group].say(dict.fromkeys(NAMES, 2.0))
    assert words
    assert "nan" not in words


def test_days_abroad_are_said_without_a_usual() -> None:
    assert said("roaming", roaming_days=3.0) == "days abroad: 3"
