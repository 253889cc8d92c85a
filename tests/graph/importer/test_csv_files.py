"""The graph as CSV files: what is in them, and what an operator's settings keep out."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from graph.importer.carried import Carried
from graph.importer.csv_files import write_csv
from lake.errors import EngineError
from lake.settings import Settings
from lake.tables import Lake


def rows(arguments: list[str], name: str) -> list[dict[str, str]]:
    """All rows of a label or a type."""
    found = []
    for argument in arguments:
        kind, _, rest = argument.partition("=")
        if kind in ("--nodes", "--relationships") and rest.startswith(f"{name}="):
            with open(rest.partition("=")[2], newline="", encoding="utf-8") as file:
                found += list(csv.DictReader(file))
    return found


def test_only_the_last_periods_are_written(operator: Lake, settings: Settings, tmp_path: Path) -> None:
    kept = settings.model_copy(update={"keep_periods": 1})
    arguments = write_csv(operator, kept, tmp_path, Carried())
    assert {row["period:string"] for row in rows(arguments, "CALLS")} == {"2026-06"}
    (lake,) = rows(arguments, "Lake")
    assert [name for name in lake if name.startswith("calls")] == ["calls 2026-06:string"]
    assert operator.partitions("contacts") == ["2026-05", "2026-06"]


def test_edges_that_ended_are_written_with_their_end(operator: Lake, settings: Settings, tmp_path: Path) -> None:
    arguments = write_csv(operator, settings, tmp_path, Carried())
    spans = [(row["since:date"], row["until:date"]) for row in rows(arguments, "USES_HANDSET")]
    assert sorted(spans) == [("2025-01-01", "2025-06-30"), ("2026-01-01", ""), ("2026-01-01", "")]


def test_every_node_has_a_number_of_its_own(operator: Lake, settings: Settings, tmp_path: Path) -> None:
    arguments = write_csv(operator, settings, tmp_path, Carried())
    labels = {argument.split("=")[1] for argument in arguments if argument.startswith("--nodes=")}
    ids = [int(row[":ID"]) for label in labels for row in rows(arguments, label)]
    assert sorted(ids) == list(range(len(ids)))


def test_an_end_that_is_missing_is_told(operator: Lake, fill: Any, settings: Settings, tmp_path: Path) -> None:
    fill(customers=[1])
    with pytest.raises(EngineError, match="a node at one end is missing"):
        write_csv(operator, settings, tmp_path, Carried())
