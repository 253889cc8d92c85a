"""The API and its own Neo4j killed under load: what was acknowledged is there, once; matches are answered meanwhile.

Three kills; twenty at random moments are `python -m benchmarks.killed_responses`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pyarrow as pa
import pytest

from api.keys import KeyStore
from benchmarks.killed_responses import VICTIMS, Bench, check, prepared, strike, writing
from graph.store import Store
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from tests.matching.conftest import TODAY, write_lake, write_small_snapshot


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Store]]:
    folder = tmp_path_factory.mktemp("killed")
    settings = load_settings(home=folder / "home", today=TODAY).model_copy(update={"neo4j_uri": ""})
    home = Home.open(settings, create=True)
    home.pseudonyms(create=True).of_numbers(pa.array(["4915100000001"]))
    write_lake(Lake(home.lake))
    write_small_snapshot(home)
    with prepared(home, settings, folder) as found:
        yield found
    assert KeyStore(home).list()


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_was_acknowledged_is_kept_once(served: tuple[Bench, Store], victim: str) -> None:
    bench, store = served
    before = len(bench.tally.acknowledged)
    with writing(bench, 2):
        while len(bench.tally.acknowledged) < before + 10:
            time.sleep(0.01)
        strike(bench, victim, store)
    assert check(bench, store) == (0, 0)
    assert set(bench.tally.matched) == {200}
    assert set(bench.tally.refused) <= {0, 503}
    assert not bench.tally.no_retry_after
