"""Apps that were loaded since the snapshot: candidates by their category, at no cost to the others."""

from __future__ import annotations

import math
import mmap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from api.likeness import Likeness
from embeddings.snapshot import Snapshot
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from matching.ahead import Ahead
from matching.batch import match_all
from matching.decision import MatchRequest
from matching.evidence import UNUSED
from matching.match import match
from matching.reasons import SENTENCES
from matching.state import MatchState
from tests.matching.conftest import SEGMENT_APPS, TODAY, put, user
from tests.matching.random_operator import random_operator
from tests.matching.test_batch import as_rows, rows_of


def add_apps(lake: Lake, *apps: tuple[str, str | None, list[str] | None]) -> None:
    """More apps in the catalogue: identifier, category, systems."""
    table = lake.read("apps")
    rows = [{"app": app, "name": app.title(), "os": systems} for app, _, systems in apps]
    lake.write("apps", pa.concat_tables([table, pa.Table.from_pylist(rows, schema=table.schema)]).sort_by("app"))
    table = lake.read("categories")
    rows = [{"item_kind": "app", "item": app, "category": category} for app, category, _ in apps if category]
    lake.write("categories", pa.concat_tables([table, pa.Table.from_pylist(rows, schema=table.schema)]))


@pytest.fixture
def newer(lake, load):
    """The hand-made operator with a new app of the category `talk`, one without, and one of another system."""
    add_apps(lake, ("blog", "talk", None), ("ball", None, None), ("apple", "talk", ["ios"]))
    return load()


def ask(state, who, **more):
    return match(state, MatchRequest(user=user(who), kind="app", **more))


def readable(deviations: float) -> float:
    return 1 / (1 + math.exp(1 - deviations / 2))


def test_a_new_app_stands_behind_what_the_own_vector_says_of_its_category(newer):
    decision = ask(newer, 0)
    assert decision.candidates == 8
    assert decision.removed == {"used": 1, "handset_os": 2}  # the new app of another system too
    told = {item.id: round(item.score, 6) for item in decision.items}
    expected = {"game": 2, "chat": 1, "radio": 1, "blog": 2 / 3, "ball": 0}  # blog: chat, radio and itself, 0
    assert list(told) == list(expected)
    assert told == {app: round(readable(z), 6) for app, z in expected.items()}
    assert decision.items[3].factors == {"deviations": pytest.approx(2 / 3)}


def test_the_reason_is_what_fits_the_segment_or_that_the_app_is_new(newer):
    blog, ball = ask(newer, 0).items[3:]
    assert blog.reason == "customers like you use talk 2.0 times as often as others do"
    assert [step.get("node", step.get("edge")) for step in blog.path] == [
        "User", "IN_SEGMENT", "Segment", "FITS", "Category", "IN_CATEGORY", "App",
    ]  # fmt: skip
    assert blog.path[-1]["key"] == "blog"
    assert blog.path[3]["lift"] == 2.0
    assert ball.reason == SENTENCES["app", UNUSED].format(name="Ball")
    assert ball.path == [{"node": "App", "key": "ball"}]


def test_without_a_vector_it_is_the_category_share_times_what_fits_the_segment(newer):
    share = (0.4 + 0.05) / 3
    s1 = {item.id: item.score for item in ask(newer, 2).items}
    assert s1 == {"maps": pytest.approx(0.3), "blog": pytest.approx(2 * share), "radio": pytest.approx(0.1), "ball": 0}
    s2 = {item.id: item.score for item in ask(newer, 4).items}  # FITS of s2 do not name talk: nobody there uses it
    assert (s2["blog"], s2["apple"]) == (0, 0)
    assert s2["news"] == pytest.approx(SEGMENT_APPS[1][3])
    anybody = {item.id: item.score for item in match(newer, MatchRequest(user=None)).items}
    assert anybody["blog"] == pytest.approx(share)


def test_where_nothing_is_known_of_what_fits_the_lift_is_one(lake, load):
    add_apps(lake, ("blog", "talk", None))
    lake.write("fits", lake.read("fits").slice(0, 0))
    assert {i.id: i.score for i in ask(load(), 4).items}["blog"] == pytest.approx((0.4 + 0.05) / 3)


def test_a_new_app_may_have_been_used_since(newer):
    assert "blog" in [item.id for item in ask(newer, 0).items]
    after = ask(newer, 0, context_used=("blog", "ball"))
    assert [item.id for item in after.items] == ["game", "chat", "radio"]
    assert after.removed["used"] == 3


def test_without_a_new_app_nothing_is_added(state, home):
    snapshot = Snapshot.current(home)
    assert state.apps.ids.to_pylist() == snapshot.apps
    assert state.vectors.learned == len(snapshot.apps)
    assert np.array_equal(state.vectors.apps, snapshot.app_vectors)
    assert not state.vectors.apps.flags.writeable  # the snapshot's own, mapped


@pytest.fixture(params=[1, 2])
def random(tmp_path: Path, request) -> tuple[MatchState, MatchState, list[bytes], Home]:
    """States of random facts with neighbours, before and after new apps."""
    before, users = random_operator(tmp_path, request.param)
    settings = load_settings(home=tmp_path / f"home{request.param}", today=TODAY)
    home = Home.open(settings)
    lake = Lake(home.lake)
    add_apps(lake, ("b1", "c1", None), ("a00b", "c2", ["android"]), ("b2", None, None), ("b3", "d0", None))
    return before, MatchState.load(home, settings, lake, Snapshot.current(home)), users, home


def scored(state: MatchState, who: bytes, used: tuple[str, ...] = ()) -> dict[str, float]:
    return {i.id: i.score for i in match(state, MatchRequest(user=who, k=100, context_used=used)).items}


def test_scores_of_the_others_are_the_same_to_the_last_bit(random):
    before, after, users, _ = random
    new = {"b1", "a00b", "b2", "b3"}
    assert after.apps.ids.to_pylist() == [*before.apps.ids.to_pylist(), *sorted(new)]
    met = set()
    for who in users:
        for used in ((), ("a03", "a11")):
            old, now = scored(before, who, used), scored(after, who, used)
            met |= new & now.keys()
            assert old == {app: score for app, score in now.items() if app not in new}
    assert met == new


def test_a_new_app_has_the_mean_of_its_category_and_itself_but_for_neighbours(random):
    _, state, _, _ = random
    vectors, m = state.vectors, state.vectors.learned
    category = state.apps.category
    for app in range(m, len(category)):
        alike = np.flatnonzero((category[:m] == category[app]) & (vectors.popularity[:m] > 0) & (category[app] >= 0))
        for array in (vectors.apps, vectors.fold):
            expected = array[alike].astype(np.float64).sum(axis=0) / (len(alike) + 1)
            assert np.allclose(array[app, 1:], expected[1:], atol=1e-6)
            assert array[app, 0] == 0
        assert vectors.near_starts[app] == vectors.near_starts[app + 1]


def test_batch_lists_ahead_and_files_say_the_same(random, tmp_path):
    _, state, users, home = random
    table = match_all(state, "app", 12, users=users)
    assert as_rows(table) == [row for who in users for row in rows_of(state, who, "app", 12)]
    assert {"b1", "b2"} & set(table["item"].to_pylist())
    ahead = Ahead(home, state, "one")
    for who in [*users, None]:
        asked = MatchRequest(user=who, k=12)
        plain, listed = (match(state, asked, None, lists).trace() for lists in (None, ahead))
        assert {**plain, "decision": ""} == {**listed, "decision": ""}
    settings = load_settings(home=home.root, today=TODAY)
    files = MatchState.load(home, settings, Lake(home.lake), Snapshot.current(home), fewest=0, apart=False)
    assert match_all(files, "app", 12, users=users).equals(table)
    assert isinstance(_root(files.vectors.apps), mmap.mmap)  # shared by all workers


def test_nothing_is_known_to_be_like_a_new_app(home, lake, load):
    before = Likeness(home).of(load())[0]
    add_apps(lake, ("blog", "talk", None))
    after = Likeness(home).of(load())[0]
    assert np.array_equal(after.apps[:5], before.apps)
    assert not len(after.apps_like(5, 5)[0])


def _root(array):
    while getattr(array, "base", None) is not None:
        array = array.base
    return array.obj if isinstance(array, memoryview) else array


def test_an_app_that_left_the_catalogue_is_no_new_one(lake, load):
    put(lake, "apps", lake.read("apps").filter(pa.array([True] * 4 + [False])))
    assert load().apps.ids.to_pylist() == ["chat", "game", "maps", "news", "radio"]
