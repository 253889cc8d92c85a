"""Parts of the state in files: the same state, made once, and made anew when anything it is made from changes."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from embeddings.snapshot import Snapshot
from lake.home import DERIVED, Home
from lake.settings import load_settings
from lake.tables import Lake
from matching import kept
from matching.batch import match_all
from matching.decision import MatchRequest
from matching.kept import Kept
from matching.match import match
from matching.ondisk import OnDisk
from matching.state import TABLES, MatchState
from tests.matching.conftest import TODAY
from tests.matching.random_operator import random_operator

Load = Callable[..., MatchState]


@pytest.fixture
def operator(tmp_path: Path) -> tuple[Home, Load]:
    """A home of random facts, and what loads its state with files from the first customer on."""
    random_operator(tmp_path, 1)
    settings = load_settings(home=tmp_path / "home1", today=TODAY)
    home = Home.open(settings)

    def load(lake: Lake | None = None, **how: int) -> MatchState:
        lake = Lake(home.lake) if lake is None else lake
        return MatchState.load(home, settings, lake, Snapshot.current(home), **{"fewest": 0, "apart": False} | how)

    return home, load


def parts(home: Home) -> dict[str, Path]:
    return {path.name: path for path in (home.root / kept.FOLDER).iterdir() if not path.name.startswith(".")}


def same(one: MatchState, other: MatchState) -> None:
    """The same arrays to the last bit, the same words, the same decisions."""
    arrays: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    told = []
    for state, found in zip((one, other), arrays, strict=True):
        fields = {name: value for name, value in vars(state).items() if name in state.__dataclass_fields__}
        whole = {name: value for name, value in fields.items() if name not in ("quiet", "days", "vectors")}
        vectors = {n: v for n, v in vars(state.vectors).items() if not isinstance(v, pa.Table)}
        assert state.propensity is not None
        mapped = {**vars(state.propensity), **vectors}
        read = {n: v[np.arange(len(v))] if isinstance(v, OnDisk) else v for n, v in mapped.items()}
        told.append(kept._told({**whole, "propensity": None, **read}, found))
    assert told[0] == told[1]
    for left, right in zip(*arrays, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    for kind in ("app", "offer"):
        assert match_all(one, kind, 5).equals(match_all(other, kind, 5))
        for user in [*one.customers.users[:5].tolist(), b"nobody"]:
            request = MatchRequest(user=user.ljust(16, b"\0"), kind=kind)
            answers = [match(state, request).trace() | {"decision": ""} for state in (one, other)]
            assert answers[0] == answers[1]


def test_a_kept_state_is_the_state_and_is_not_made_again(operator: tuple[Home, Load]) -> None:
    home, load = operator
    plain = load(fewest=10**9)
    assert not (home.root / kept.FOLDER).exists()
    same(plain, load())  # made and written
    written = {name: path.stat().st_ino for name, path in parts(home).items()}
    assert sorted(name.rsplit("-", 1)[0] for name in written) == ["contacts", "state", "used"]
    same(plain, load())  # mapped
    assert {name: path.stat().st_ino for name, path in parts(home).items()} == written
    assert all(path.stat().st_mode & 0o077 == 0 for path in parts(home).values())


def test_another_process_makes_it_where_it_is_to(operator: tuple[Home, Load]) -> None:
    home, load = operator
    plain = load(fewest=10**9)
    state = load(apart=True)
    made = {name: path.stat().st_ino for name, path in parts(home).items()}
    assert len(made) == 3
    same(plain, state)


class Asked(Lake):
    """A lake that notes which tables were read."""

    def files(self, name: str, partition: str | None = None) -> list[Path]:
        self.__dict__.setdefault("names", set()).add(name)
        return super().files(name, partition)


def test_all_that_is_read_is_among_what_a_part_is_told_apart_by(operator: tuple[Home, Load]) -> None:
    home, load = operator
    lake = Asked(home.lake)
    load(lake, fewest=10**9)
    assert lake.__dict__["names"] <= {*TABLES, "contacts", "successions", "numbers"}


def test_a_part_is_made_anew_when_what_it_is_made_from_changes(operator: tuple[Home, Load]) -> None:
    home, load = operator
    load()
    before = set(parts(home))
    lake = Lake(home.lake)
    customers = lake.read("customers")
    place = customers.schema.get_field_index("consent")
    lake.write("customers", customers.set_column(place, "consent", pa.array([False] * len(customers))))
    assert not load().customers.consent[:-1].any()
    after = set(parts(home)) - before
    assert sorted(name.rsplit("-", 1)[0] for name in after) == ["contacts", "state", "used"]
    lake.write("customers", customers)
    load()
    lake.write("customers", customers.slice(1))
    load()
    assert len(parts(home)) == 3 * kept.LATEST


def test_a_file_that_is_cut_short_is_made_anew(operator: tuple[Home, Load]) -> None:
    home, load = operator
    plain = load()
    for path in parts(home).values():
        path.write_bytes(path.read_bytes()[:-1])
    same(plain, load())
    for path in parts(home).values():
        path.write_bytes(b"")
    same(plain, load())


def test_without_room_on_the_disk_a_part_is_not_kept(tmp_path: Path) -> None:
    home = Home.open(load_settings(home=tmp_path / "home"), create=True)
    lake = Lake(home.lake)
    lake.write("customers", pa.table({"user": [b"u"]}))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        found = Kept(home, lake, 0).part("much", (), None, lambda: np.arange(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert found.tolist() == list(range(1000))
    assert not parts(home)


def test_no_class_of_elsewhere_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no part of a state"):
        kept._made({"of": "subprocess:Popen", "fields": {}}, [])


def test_backups_leave_it_out_and_whoever_changes_pseudonyms_takes_it_away() -> None:
    assert kept.FOLDER in DERIVED
