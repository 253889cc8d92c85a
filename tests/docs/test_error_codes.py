"""The table of error codes has the codes that the product's sources have: no less, no more."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("lake", "loaders", "graph", "embeddings", "matching", "cypher", "api", "dumbbell")
IN_SOURCE = re.compile(r'\bcode ?= ?"([a-z_]+)"|_leave\("([a-z_]+)"|"error"\] = "([a-z_]+)"')


def test_every_code_is_explained_with_what_to_do() -> None:
    text = (ROOT / "docs" / "operator.md").read_text().split("## Error codes\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1:4] for line in text.splitlines() if line.startswith("| `")]
    told = [code for first, _, _ in rows for code in re.findall("`([a-z_]+)`", first)]
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    used = {next(filter(None, found)) for path in sources for found in IN_SOURCE.findall(path.read_text())}
    assert sorted(told) == sorted(used)
    assert all(cell.strip() for row in rows for cell in row)
