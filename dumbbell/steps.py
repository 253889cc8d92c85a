"""The order of the steps, and which of them new input makes necessary.

feeds → loaders → lake → graph.dumbbell, graph.calls → Neo4j → embeddings → snapshot
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dumbbell.last_runs import Steps
from dumbbell.next_step import nothing_to_match
from embeddings.snapshot import Snapshot, current_id, is_snapshot
from graph.calls import contacts
from graph.calls.analyse import analyse as analyse_calls
from graph.dumbbell import build as build_dumbbell
from graph.engine.server import running
from graph.fill import filled
from graph.load import write_scores
from graph.store import Store, open_store
from graph.succession import hand_over
from lake.clock import today
from lake.errors import NotReady
from lake.home import Home
from lake.past import past_lake
from lake.periods import first_day
from lake.progress import working
from lake.settings import Settings
from lake.tables import Lake
from lake.use import APP_USE
from loaders.feeds import FEEDS
from loaders.load import Report, load
from matching.answers import copy_to_lake
from matching.apart import make_apart
from matching.decisions import FILE as DECISIONS
from matching.kept import Kept
from matching.state import MatchState

PAST = ".past"
"""Where in a home what was known at an earlier day is made again, for a while."""


def into_lake(home: Home, settings: Settings, feeds: Path, *, strict: bool = False) -> Report:
    """Check and load a feed folder into the lake, and what the lake alone makes: segments, fits, contacts."""
    steps = Steps(home)
    lake = Lake(home.lake)
    if settings.neo4j_uri:
        with running(home, settings):  # a server that is away or refuses is found out before anything is taken
            pass
    answers_into_lake(home, settings)
    with steps.running("load", str(feeds), f"feeds of {feeds} into the lake"):
        report = load(feeds, home, settings, strict=strict)
    build_dumbbell(lake, settings)
    if lake.has("calls"):
        with working("contacts"):
            contacts.build(lake, settings)
    return report


def answers_into_lake(home: Home, settings: Settings) -> None:
    """Copy what customers answered since the last load, where a home has served: a feed row of an answered decision
    then counts as repeated."""
    if (home.root / DECISIONS).exists():
        with open_store(home, settings) as store:
            copy_to_lake(store, Lake(home.lake))


@contextmanager
def into_graph(home: Home, settings: Settings) -> Iterator[tuple[Store, dict[str, Any]]]:
    """Bring Neo4j to what the lake says by the quicker way, nothing where nothing changed; and the store to go on with.

    For a process that does not use the home's own server already: an import needs it alone.
    """
    lake = Lake(home.lake)
    with working("lake into Neo4j"), ExitStack() as stack:
        found = stack.enter_context(filled(home, lake, settings))
        hand_over(lake, found[0], settings)
        rest = stack.pop_all()
    with rest:
        yield found


def derive(home: Home, settings: Settings) -> None:
    """What the lake alone makes, made again where its inputs changed: segments, fits, contacts, and the analysis where
    there is one."""
    lake = Lake(home.lake)
    if not lake.has("customers"):
        return
    build_dumbbell(lake, settings)
    if lake.has("calls"):
        with working("contacts"):
            contacts.build(lake, settings)
        if lake.has("circles"):
            _analysed(home, settings)


def scores_onto_nodes(home: Home, store: Store) -> None:
    """The analysis' last period as properties of customers."""
    with working("scores onto the nodes"):
        write_scores(Lake(home.lake), store)


def analyse(home: Home, settings: Settings) -> dict[str, Any]:
    """The call graph's tables in the lake, made again where they are due. Raises NotReady where nothing was loaded.

    It comes before the graph, so that an import takes its scores along.
    """
    lake = Lake(home.lake)
    if not lake.has("customers"):
        raise NotReady("nothing has been loaded into this home", "run `dumbbell load FEEDS` first")
    if not lake.has("calls"):
        return {"off": "there are no call records: circles, communities and leaders are switched off"}
    return _analysed(home, settings)


def _analysed(home: Home, settings: Settings) -> dict[str, Any]:
    """The analysis in the lake, made again where it is due."""
    steps, inputs = Steps(home), _analysis_inputs(home, settings)
    if steps.due("analyse", inputs):
        with steps.running("analyse", inputs, "the call graph") as facts:
            facts["found"] = analyse_calls(Lake(home.lake), settings)
    return {"steps": steps.facts["analyse"]["found"]}


def due(home: Home, settings: Settings) -> list[str]:
    """The steps that `run` would repeat on the lake as it is."""
    lake = Lake(home.lake)
    if not lake.has("customers"):
        return []
    found = []
    if lake.has("calls") and Steps(home).due("analyse", _analysis_inputs(home, settings)):
        found.append("analyse")
    if not nothing_to_match(lake) and embed_due(home, settings):
        found.append("embed")
    return found


def embed_due(home: Home, settings: Settings) -> bool:
    """Whether there is no snapshot of the lake as it is."""
    id = current_id(home)
    there = id is not None and is_snapshot(home.snapshots / id)
    return not there or Steps(home).due("embed", _embed_inputs(home, settings))


def embed_is_done(home: Home, settings: Settings) -> None:
    """Say that the snapshot is of the lake as it is: both were written anew, and tell the same."""
    Steps(home).keep("embed", _embed_inputs(home, settings))


def embed(home: Home, settings: Settings, store: Store, *, force: bool = False) -> dict[str, Any]:
    """Train on the lake and on what customers answered, and make the snapshot current when it is good enough."""
    from embeddings.train import train  # torch takes seconds to import: only where it is used

    lake = Lake(home.lake)
    if not lake.has("customers"):
        raise NotReady("nothing has been loaded into this home", "run `dumbbell load FEEDS` first")
    if why := nothing_to_match(lake):
        return {"off": f"{why}: embeddings are switched off"}
    copy_to_lake(store, lake)
    steps = Steps(home)
    if force or embed_due(home, settings):
        with steps.running("embed", _embed_inputs(home, settings), "embeddings") as facts:
            facts["found"] = train(lake, home, settings, force=force)
    return steps.facts["embed"]["found"]


@contextmanager
def as_of(home: Home, settings: Settings, month: str) -> Iterator[tuple[MatchState, dict[str, Any]]]:
    """What matching would have decided from when a month began, and the metrics of its snapshot: lake and snapshot are
    made again from what was known by then, as `load` and `embed` make them, and taken away in the end.

    To be called by the one who holds the home for writing.
    """
    from embeddings.train import train

    folder = home.root / PAST
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    try:
        then = settings.model_copy(update={"home": folder, "key_file": None, "today": first_day(month)})
        past = Home.open(then, create=True)
        with working(f"the lake as it was before {month}"):
            lake = past_lake(Lake(home.lake), past.lake, month)
            build_dumbbell(lake, then)
        with working(f"embeddings of what was known before {month}"):
            found = train(lake, past, then)
        # Nothing of it is kept for another time, however many customers there are.
        yield MatchState.load(past, then, lake, Snapshot.current(past), today=then.today, fewest=sys.maxsize), found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(home: Home, settings: Settings) -> None:
    """Make what serving and matching start from, where a home is so large that it is kept (`matching.kept`)."""
    lake = Lake(home.lake)
    if current_id(home) is not None and Kept(home, lake).is_worthwhile:
        with working("what matching starts from"):
            make_apart(home, settings, Snapshot.current(home), today(settings, lake, clock=True))


def _analysis_inputs(home: Home, settings: Settings) -> str:
    things = ["bills", "subscriptions", "products", "user_handsets", "handsets", "cells", "stores"]
    return _inputs(home, settings, ["customers", "calls", *APP_USE, *things])


def _embed_inputs(home: Home, settings: Settings) -> str:
    made = ["web_use", "customers", "answers", "segments", "categories", "fits", "contacts"]
    return _inputs(home, settings, [*FEEDS, *made])


def _inputs(home: Home, settings: Settings, tables: list[str]) -> str:
    lake = Lake(home.lake)
    return f"{lake.fingerprint(tables)} {today(settings, lake)} {settings.period}"
