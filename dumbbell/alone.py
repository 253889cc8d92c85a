"""What needs the home alone: another key, customers forgotten, a backup made, a home brought back.

Each but `backup` keeps in the home what it has begun (`Home.begin`), so that the same command finishes it after a kill:

    files    staged; a kill leaves everything as it was
    graph    the files are published in one step; the graph and what else follows from the lake is made again
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from api.audit import stage_audit
from dumbbell import steps
from embeddings import rewrite as snapshots
from graph import customers as graph_customers
from graph.engine.folder import EngineFolder
from graph.engine.server import discard, unused
from graph.schema import ensure
from graph.store import Store, open_store
from lake import backup as archive
from lake import forget as forgetting
from lake import publish
from lake import rekey as rekeying
from lake.errors import DumbbellError, HomeHeld
from lake.home import DERIVED, Home, enough_disk
from lake.pseudonyms import Pseudonyms, from_text, to_text
from lake.rewrite import sweep
from lake.settings import Settings
from lake.tables import Lake
from lake.upgrade import upgrade
from loaders.load import find_customers
from matching.answers import Answers, copy_to_lake
from matching.arrays import binary, sixteen
from matching.rewrite import stage_decisions

FILES, GRAPH = "files", "graph"


def rekey(home: Home, settings: Settings) -> dict[str, Any]:
    """Change the key for numbers everywhere; the caller holds the home for writing.

    Returns `{"tables", "snapshots"}`: how many files and snapshots were written anew. Raises WrongKey where the key is
    not the home's, HomeHeld where others use the home.
    """
    keys = rekeying.Keys(home)
    if home.begun() is None:
        home.pseudonyms()
        _claim(home, "rekey", phase=FILES)
    if (home.begun() or {})["phase"] == FILES:
        with _staging(home, keys.drop_new) as (staging, deletes):
            keys.make()
            old, new = keys.old(), keys.new()
            _keep_answers(home, settings)
            embedded = not steps.embed_due(home, settings)
            tables = rekeying.stage_tables(home, staging, old, new)
            rekeying.stage_mark(home, staging, new)
            ids, gone = snapshots.stage_snapshots(home, staging, lambda users: _renamed_rows(users, old, new))
            _, rest = stage_decisions(home, staging, lambda users: _renamed(users, old, new), ids)
            stage_audit(home, staging, lambda users: _renamed(users, old, new))
            deletes += [*gone, *rest]
            _stage_begun(home, staging, "rekey", phase=GRAPH, tables=tables, snapshots=len(ids), embedded=embedded)
    facts = home.begun() or {}
    if keys.both():  # else only the end is left
        snapshots.sweep(home)
        old, new = keys.old(), keys.new()
        steps.derive(home, settings)
        _graph_again(home, settings, lambda store: _rename_in_graph(home, store, old, new))
        if facts["embedded"]:
            steps.embed_is_done(home, settings)
    keys.swap()
    home.end()
    return {"tables": facts["tables"], "snapshots": facts["snapshots"]}


def forget(home: Home, settings: Settings, users: pa.Array) -> dict[str, Any]:
    """Erase customers (binary pseudonyms) everywhere in the home; the caller holds it for writing.

    All accounts that a number ever had go with it. Returns `{"rows": {table: rows taken out}, "traces"}`.
    """
    begun = home.begun()
    asked = forgetting.accounts_of(Lake(home.lake), users)
    if begun is not None:
        known = pa.array([from_text(text) for text in begun["users"]], pa.binary())
        found = _forget(home, settings, known)
        if pc.all(pc.is_in(asked, value_set=known)).as_py() is not False:
            return found
    return _forget(home, settings, asked)


def _forget(home: Home, settings: Settings, users: pa.Array) -> dict[str, Any]:
    texts = to_text(users).to_pylist()
    if home.begun() is None:
        _claim(home, "forget", phase=FILES, users=texts)
    if (home.begun() or {})["phase"] == FILES:
        with _staging(home) as (staging, deletes):
            _keep_answers(home, settings)
            rows = forgetting.stage_tables(home, staging, users)
            ids, gone = snapshots.stage_snapshots(home, staging, lambda known: _kept_rows(known, users))
            among = set(texts)
            change = lambda named: [None if user in among else user for user in named]  # noqa: E731
            traces, rest = stage_decisions(home, staging, change, ids)
            stage_audit(home, staging, change)
            deletes += [*gone, *rest]
            _stage_begun(home, staging, "forget", phase=GRAPH, users=texts, rows=rows, traces=traces)
    facts = home.begun() or {}
    snapshots.sweep(home)
    find_customers(home, settings)
    steps.derive(home, settings)
    _graph_again(home, settings, lambda store: graph_customers.remove(store, users))
    home.end()
    return {"rows": facts["rows"], "traces": facts["traces"]}


def backup(home: Home, settings: Settings, file: Path) -> dict[str, int]:
    """Save the home with its key in one file; the caller holds the home for writing."""
    with unused(home):
        pass
    _keep_answers(home, settings)
    with unused(home):
        return archive.write(home, file)


def restore(home: Home, settings: Settings, file: Path) -> dict[str, int]:
    """Bring a saved home back into an empty place; the caller holds it for writing.

    Raises HomeError where the file is no whole backup; then the place is as empty as it was.
    """
    if (home.begun() or {"phase": FILES})["phase"] == FILES:
        home.begin("restore", phase=FILES)
        try:
            archive.clear(home)
            found = archive.unpack(file, home)
            archive.put_in_place(home)
        except DumbbellError:
            archive.clear(home)
            home.end()
            raise
        upgrade(home.root, home.write_text)
        home.begin("restore", phase=GRAPH, **found)
    facts = home.begun() or {}
    if Lake(home.lake).has("customers"):
        home.pseudonyms()
    _graph_again(home, settings, lambda store: None)
    home.end()
    return {"files": facts["files"], "bytes": facts["bytes"]}


def _keep_answers(home: Home, settings: Settings) -> None:
    """Copy what customers answered into the lake, where there is a graph: it is recorded nowhere else."""
    if Lake(home.lake).has("customers") and (settings.neo4j_uri or EngineFolder(home.neo4j).data.exists()):
        with open_store(home, settings) as store:
            copy_to_lake(store, Lake(home.lake))


def _claim(home: Home, command: str, **facts: Any) -> None:
    """Begin, where nobody else uses the home: from then on nobody can."""
    home.begin(command, **facts)
    try:
        with unused(home):
            sweep(home.root)
            for name in DERIVED:
                shutil.rmtree(home.root / name, ignore_errors=True)
    except HomeHeld:
        home.end()
        raise


@contextmanager
def _staging(home: Home, undo: Callable[[], None] = lambda: None) -> Iterator[tuple[Path, list[str]]]:
    """A folder to stage in and the paths to delete; both are published in one step when the block ends well.

    When it fails, nothing has begun.
    """
    with enough_disk(home.root):
        staging, deletes = publish.stage(home.root), list[str]()
        try:
            yield staging, deletes
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            undo()
            home.end()
            raise
        publish.publish(home.root, staging, deletes)


def _stage_begun(home: Home, staging: Path, command: str, **facts: Any) -> None:
    """Stage what is left to do, so that it changes in the same step as the files."""
    home.write_text(staging / home.unfinished.name, json.dumps({"command": command, **facts}), secret=True)


def _graph_again(home: Home, settings: Settings, change: Callable[[Store], None]) -> None:
    """The graph from the lake: a named server is changed where it is, the product's own made afresh."""
    lake = Lake(home.lake)
    if not settings.neo4j_uri:
        with unused(home):
            discard(home)
    if not lake.has("customers"):
        return
    if settings.neo4j_uri or lake.has("answers"):
        with open_store(home, settings) as store:
            ensure(store)
            if settings.neo4j_uri:
                change(store)
            if lake.has("answers"):
                Answers(store).bring_back(lake.read("answers"))
    with steps.into_graph(home, settings) as (store, _):
        steps.scores_onto_nodes(home, store)


def _rename_in_graph(home: Home, store: Store, old: Pseudonyms, new: Pseudonyms) -> None:
    """Give the customers and persons of the lake their new pseudonyms in a graph that has the old ones."""
    customers = Lake(home.lake).read("customers")
    columns = [customers[name] for name in ("user", "person") if name in customers.column_names]
    known = pc.drop_null(pc.unique(pa.chunked_array([c for column in columns for c in column.chunks], pa.binary())))
    graph_customers.rename(store, new.changed(known, old), known)


def _renamed(users: list[str], old: Pseudonyms, new: Pseudonyms) -> list[str | None]:
    """Pseudonyms in text, under the new key."""
    return to_text(old.changed(pa.array([from_text(user) for user in users], pa.binary()), new)).to_pylist()


def _renamed_rows(users: np.ndarray, old: Pseudonyms, new: Pseudonyms) -> tuple[np.ndarray, np.ndarray]:
    """`users` (n, 16) under the new key, sorted again, and the row of each before."""
    changed = sixteen(old.changed(binary(users), new))
    rows = np.argsort(changed, kind="stable")
    return changed[rows].view(np.uint8).reshape(-1, 16), rows


def _kept_rows(users: np.ndarray, forgotten: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """`users` (n, 16) without those forgotten, and the row of each before."""
    rows = np.flatnonzero(~np.asarray(pc.is_in(binary(users), value_set=forgotten)))
    return users[rows], rows
