"""The parts of the graph as CSV files, a piece at a time, and the importer's arguments that name them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from graph.answered import without_answered
from graph.calls.ids import Positions
from graph.edges import Edges
from graph.importer.carried import Carried, table_of
from graph.importer.columns import DELIMITER_OPTION, CsvFile, header
from graph.importer.ids import NodeIds
from graph.nodes import NODES, Nodes
from graph.parts import fingerprint, parts_of
from graph.schema import KEYS
from graph.scores import PART as SCORES
from graph.scores import made_from, scores
from graph.state import ID, whole_of
from lake.errors import EngineError
from lake.progress import track
from lake.pseudonyms import from_text
from lake.settings import Settings
from lake.tables import Lake

ENDS = [":START_ID", ":END_ID"]


def write_csv(lake: Lake, settings: Settings, folder: Path, carried: Carried) -> list[str]:
    """Write the whole graph below `folder`; returns the importer's arguments. Raises EngineError for missing ends."""
    files = Files(folder)
    parts = parts_of(lake, settings)
    state = {part.part: fingerprint(lake, part) for part in parts}
    for part in track(parts, "writing CSV"):
        if isinstance(part, Nodes):
            table, made = _node_table(lake, part)
            state |= made
            files.nodes(part.label, [header(f.name, f.type) for f in table.schema], table)
            if part is NODES[-1]:
                files.carried_nodes(carried)
        else:
            files.edges(lake, part, carried)
    files.carried_edges(carried)
    facts = {"id": ID, **state, "fingerprint": whole_of(state)}
    files.nodes("Lake", [f"{name}:string" for name in facts], table_of([tuple(facts.values())], len(facts)))
    return files.arguments()


def _node_table(lake: Lake, nodes: Nodes) -> tuple[pa.Table, dict[str, str]]:
    """Nodes of a label, users with their scores, and what to add to the state."""
    table = nodes.wanted(lake)
    tables, made = made_from(lake)
    if nodes.label != "User" or not tables:
        return table, {}
    found = scores(lake, tables)
    places = Positions(found["user"]).known(table["user"])
    for name in found.column_names[1:]:
        table = table.append_column(name, found[name].take(pa.array(places)))
    return table, {SCORES: made}


class Files:
    """CSV files below a folder, and the numbers of the nodes in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids = NodeIds()
        self._named: list[tuple[str, CsvFile]] = []

    def nodes(self, label: str, headers: list[str], table: pa.Table) -> None:
        """Nodes of a label; the key is the first column, its header the first of `headers`."""
        ids = pa.array(self.ids.add(label, table.column(0)))
        file = self._open("nodes", label)
        file.write([":ID", *headers], table.add_column(0, ":ID", ids))
        file.close()

    def carried_nodes(self, carried: Carried) -> None:
        for (label, headers), rows in carried.nodes.items():
            self.nodes(label, list(headers), table_of(rows, len(headers)))

    def edges(self, lake: Lake, edges: Edges, carried: Carried) -> None:
        """All edges of a part."""
        wanted = edges.asked(lake)
        if edges.type == "RESPONDED":
            wanted = replace(wanted, then=partial(without_answered, answered=carried.answered))
        headers = [header(field.name, field.type) for field in list(wanted.schema)[2:]]
        file = self._open("relationships", edges.type)
        for _, _, table in wanted:
            self._write_edges(file, (edges.start, edges.end), headers, table, edges.type)
        file.close()

    def carried_edges(self, carried: Carried) -> None:
        for (label, headers), rows in carried.answers.items():
            file = self._open("relationships", "RESPONDED")
            table = table_of(rows, 2 + len(headers))
            users = pa.chunked_array([pa.array(map(from_text, table.column(0).to_pylist()), pa.binary())])
            table = table.set_column(0, table.column_names[0], users)
            self._write_edges(file, ("User", label), list(headers), table, "RESPONDED")
            file.close()

    def _write_edges(
        self, file: CsvFile, ends: tuple[str, str], headers: list[str], table: pa.Table, name: str
    ) -> None:
        found = [self.ids.of(label, table.column(i)) for i, label in enumerate(ends)]
        missing = int(np.sum((found[0] < 0) | (found[1] < 0)))
        if missing:
            raise EngineError(
                f"{missing} of {table.num_rows} {name} could not be made, as a node at one end is missing",
                "run the same command again",
            )
        columns = [pa.chunked_array([pa.array(ids)]) for ids in found]
        file.write([*ENDS, *headers], pa.table([*columns, *table.columns[2:]], names=[*ENDS, *headers]))

    def _open(self, what: str, name: str) -> CsvFile:
        file = CsvFile(self.folder / f"{len(self._named):03d}.csv")
        self._named.append((f"--{what}={name}={file.path}", file))
        return file

    def arguments(self) -> list[str]:
        """The importer's arguments: these files and how to read them."""
        has_lines = any(file.has_lines for _, file in self._named)
        lines = ["--multiline-fields=true"] if has_lines else []
        return [*(argument for argument, _ in self._named), "--id-type=actual", DELIMITER_OPTION, *lines]


def known_keys(lake: Lake, labels: tuple[str, ...]) -> dict[str, pa.Array]:
    """The keys that the lake has nodes for."""
    return {
        nodes.label: nodes.wanted(lake)[KEYS[nodes.label]].combine_chunks() for nodes in NODES if nodes.label in labels
    }
