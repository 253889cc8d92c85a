"""Which way the graph is filled, at an operator's sizes, and what a full disk is called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from graph.fill import FULL_MB, Size, seconds, told_when_full
from lake.errors import DiskFull, EngineError
from lake.home import Home
from lake.settings import Settings

CUSTOMERS, USES, TIES = 2_200_000, 55_000_000, 25_000_000


def same(rows: int) -> Size:
    return Size(rows, rows, is_due=False)


def test_a_month_of_an_operator_is_imported() -> None:
    uses = Size(USES + USES // 12, USES, is_due=True)
    parts = [Size(CUSTOMERS, CUSTOMERS, is_due=True), uses, same(TIES), same(TIES), Size(TIES, 0, is_due=True)]
    by_import, by_bolt = seconds(parts)
    assert by_import < by_bolt


@pytest.mark.parametrize(
    "changed",
    [
        [],
        [Size(1_000, 900, is_due=True)],
        [Size(CUSTOMERS, CUSTOMERS, is_due=True)],
        [Size(TIES // 50, 0, is_due=True), Size(CUSTOMERS + 1, CUSTOMERS, is_due=True)],
    ],
)
def test_a_small_change_goes_over_bolt(changed: list[Size]) -> None:
    by_import, by_bolt = seconds([same(USES), same(TIES), same(TIES), *changed])
    assert by_bolt < by_import


def test_only_a_full_disk_is_called_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.open(settings.model_copy(update={"neo4j_uri": ""}), create=True)
    with pytest.raises(EngineError), told_when_full(home):
        raise EngineError("the transaction could not be committed")
    usage = shutil.disk_usage(Path("/"))._replace(free=(FULL_MB - 1) * 10**6)
    monkeypatch.setattr("graph.fill.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DiskFull, match="no space left"), told_when_full(home):
        raise EngineError("the transaction could not be committed")
