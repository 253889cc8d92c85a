"""Another key, customers forgotten, a backup brought back: on an operator that has served, killed at many points."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from api.audit import Audit
from api.keys import KeyStore
from dumbbell import steps
from embeddings.snapshot import Snapshot
from graph.calls import contacts
from graph.dumbbell import build as build_dumbbell
from graph.engine.server import running
from graph.store import Store, open_store
from lake.errors import HomeError
from lake.home import Home
from lake.pseudonyms import Pseudonyms, read_key, to_text
from lake.settings import Settings, load_settings
from lake.tables import Lake
from loaders.load import load
from matching.answers import Answers, copy_to_lake
from matching.decision import MatchRequest
from matching.decisions import Decisions
from matching.match import match
from matching.state import MatchState

KILLED = """
import os, signal, sys
import dumbbell.alone, lake.backup, lake.home, lake.publish, lake.rekey, matching.answers
from dumbbell.__main__ import main

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(real, calls=1):
    def step(*arguments, **options):
        nonlocal calls
        calls -= 1
        found = real(*arguments, **options)
        if not calls:
            die()
        return found
    return step

point = sys.argv.pop(1)
if point == "staged":
    dumbbell.alone._stage_begun = die
elif point == "publishing":
    real = lake.publish._apply
    def apply(root):
        os.replace = after(os.replace, 5)
        real(root)
    lake.publish._apply = apply
elif point == "graph":
    matching.answers.Answers.bring_back = die
elif point == "swapping":
    real = lake.rekey.Keys.swap
    def swap(keys):
        os.replace = after(os.replace)
        real(keys)
    lake.rekey.Keys.swap = swap
elif point == "swapped":
    lake.home.Home.end = die
elif point == "discarded":
    dumbbell.alone.discard = after(dumbbell.alone.discard)
main()
"""


@pytest.fixture(scope="module")
def feeds(dumbbell: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "feeds"
    assert dumbbell("sample", folder, "--users", 80, "--months", 3, "--seed", 5).status == 0
    return folder


@pytest.fixture(scope="module")
def settings(neo4j_endpoint: Any, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a home on the run's server, as a named one."""
    named = {"neo4j_uri": neo4j_endpoint.uri, "neo4j_user": neo4j_endpoint.user}
    home = tmp_path_factory.mktemp("alone") / "home"
    return load_settings(home=home, neo4j_password=neo4j_endpoint.password, **named)


@pytest.fixture(scope="module")
def served(dumbbell: Any, feeds: Path, wiped: Store, settings: Settings) -> Home:
    """A home after `run`, with decisions made and answers recorded for the first customers who have a match."""
    done = dumbbell("run", feeds, home=settings.home)
    assert done.status == 0, done
    home = Home.open(settings)
    state = MatchState.load(home, settings, Lake(home.lake), Snapshot.current(home))
    decisions, answers, audit = Decisions(home), Answers(wiped), Audit(home, 365)
    for user in numbers_of(home, feeds)[:6]:
        decision = match(state, MatchRequest(user=user, kind="app", k=3), None)
        decisions.record(decision)
        audit.note("shop", "POST /v1/match", [str(uuid.UUID(bytes=user))])
        if decision.items:
            item = decision.items[0].id
            answers.record(user=user, kind="app", item=item, channel=None, outcome="refused", decision=decision.id)
    decisions.close()
    KeyStore(home).add("shop", ["match"])
    assert copy_to_lake(wiped, Lake(home.lake)) > 2
    steps.embed_is_done(home, settings)  # as if the model had been trained after the answers
    assert steps.due(home, settings) == []
    return home


def numbers_of(home: Home, feeds: Path) -> list[bytes]:
    """Pseudonyms of the feed's users, in the feed's order."""
    with open(feeds / "users.csv", newline="") as file:
        numbers = [row["number"].replace("-", "").replace(" ", "").lstrip("+") for row in csv.DictReader(file)]
    return home.pseudonyms().of_numbers(pa.array(numbers)).to_pylist()


def killed(point: str, settings: Settings, *arguments: Any) -> None:
    """Run a command that is killed at a marked point."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DUMBBELL_")}
    server = {
        "DUMBBELL_NEO4J_URI": settings.neo4j_uri,
        "DUMBBELL_NEO4J_USER": settings.neo4j_user,
        "DUMBBELL_NEO4J_PASSWORD": settings.neo4j_password.get_secret_value(),
    }
    command = [sys.executable, "-c", KILLED, point, "--home", str(settings.home), *map(str, arguments)]
    done = subprocess.run(
        command, env=kept | (server if settings.neo4j_uri else {}), capture_output=True, text=True, timeout=300,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, (point, done.stdout[-1000:], done.stderr[-3000:])


def lake_of(home: Home) -> dict[str, pa.Table]:
    found = {}
    for path in sorted(home.lake.rglob("*.parquet")):
        found[path.relative_to(home.lake).as_posix()] = pq.ParquetFile(path).read().replace_schema_metadata()
    return found


def answers_of(store: Store) -> list[dict[str, Any]]:
    return Answers(store).all().sort_by("key").to_pylist()


@pytest.fixture(scope="module")
def backed_up(dumbbell: Any, served: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the home that has served."""
    file = tmp_path_factory.mktemp("backup") / "home.backup"
    done = dumbbell("backup", file, "--json", home=served.root)
    assert done.status == 0, done
    assert file.stat().st_mode & 0o777 == 0o600
    return file


@pytest.fixture(scope="module")
def restored(dumbbell: Any, backed_up: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a home brought back from it, on the product's own server; killed on the way."""
    settings = load_settings(home=tmp_path_factory.mktemp("restored") / "home")
    killed("discarded", settings, "restore", backed_up)
    with pytest.raises(HomeError, match="halfway"):
        Home.open(settings)
    done = dumbbell("restore", backed_up, "--json", home=settings.home, own_server=True)
    assert done.status == 0, done
    return settings


def test_a_restored_home_is_the_one_that_was_saved(served: Home, restored: Settings, wiped: Store) -> None:
    home = Home.open(restored)
    assert lake_of(home) == lake_of(served)
    assert {p: (home.root / p).read_bytes() for p in ("keys.json", "number.key", "steps.json")} == {
        p: (served.root / p).read_bytes() for p in ("keys.json", "number.key", "steps.json")
    }
    assert steps.due(home, restored) == steps.due(served, restored)
    counts = "MATCH (n) RETURN labels(n)[0] AS label, count(*) AS n ORDER BY label"
    edges = "MATCH (a)-[r]->(b) RETURN type(r) AS type, count(*) AS n, max(a.user + r.at) AS last ORDER BY type"
    with open_store(home, restored) as store:
        assert answers_of(store) == answers_of(wiped)
        assert store.read(counts) == wiped.read(counts)
        assert [r["n"] for r in store.read(edges)] == [r["n"] for r in wiped.read(edges)]


def test_a_backup_is_restored_into_an_empty_place_only(
    dumbbell: Any, served: Home, backed_up: Path, tmp_path: Path
) -> None:
    refused = dumbbell("restore", backed_up, "--json", home=served.root)
    assert (refused.status, refused.json["error"]) == (1, "home_not_empty")
    half = tmp_path / "half"
    half.write_bytes(backed_up.read_bytes()[:100_000])
    refused = dumbbell("restore", half, "--json", home=tmp_path / "home")
    assert (refused.status, refused.json["error"]) == (1, "bad_backup")
    assert not {p.name for p in (tmp_path / "home").iterdir()} - {"lock", "runs.json"}


def test_others_at_work_are_named(dumbbell: Any, served: Home, settings: Settings, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers"
    numbers.write_text("4915100000001\n")
    with running(served, settings):
        for command in (["backup", tmp_path / "b"], ["rekey"], ["forget", "--file", numbers]):
            refused = dumbbell(*command, "--json", home=served.root)
            assert (refused.status, refused.json["error"]) == (1, "home_held"), refused
            assert "dumbbell serve" in refused.err
    assert not (tmp_path / "b").exists()
    assert served.begun() is None


def test_what_is_forgotten_is_nowhere_in_the_home(
    dumbbell: Any, restored: Settings, feeds: Path, tmp_path: Path
) -> None:
    home = Home.open(restored)
    users = numbers_of(home, feeds)[:2]
    others = set(Lake(home.lake).read("users")["user"].to_pylist()) - set(users)
    plain = home.pseudonyms().numbers_of(pa.array(users))
    file = tmp_path / "numbers.txt"
    file.write_text("".join(f"+{number}\n" for number in plain))
    assert traces_of(home, users)
    assert found_in(home.root, users, plain)
    with open_store(home, restored) as store:
        before = answers_of(store)
    killed("discarded", restored, "forget", "--file", file)
    with pytest.raises(HomeError, match="halfway"):
        Home.open(restored)
    done = dumbbell("forget", "--file", file, "--json", home=home.root, own_server=True)
    assert done.status == 0, done
    assert done.json["rows"]["users"] == 2
    assert not any(number in done.out + done.err for number in plain)
    assert found_in(home.root, users, plain) == []
    home = Home.open(restored)
    assert set(Lake(home.lake).read("users")["user"].to_pylist()) == others
    assert others <= set(Lake(home.lake).read("customers")["user"].to_pylist())
    with open_store(home, restored) as store:
        named = to_text(pa.array(users)).to_pylist()
        assert store.read("MATCH (u:User) WHERE u.user IN $named RETURN count(u) AS n", named=named) == [{"n": 0}]
        assert answers_of(store) == [answer for answer in before if answer["user"] not in users]
    assert (Snapshot.current(home).rows(users) < 0).all()
    assert (Snapshot.current(home).rows(sorted(others)) >= 0).any()


def traces_of(home: Home, users: list[bytes]) -> int:
    with closing(sqlite3.connect(home.root / "decisions.sqlite")) as decisions:
        texts = [trace for (trace,) in decisions.execute("SELECT trace FROM decisions")]
    return sum(any(str(uuid.UUID(bytes=user)).encode() in text for user in users) for text in texts)


def found_in(root: Path, users: list[bytes], numbers: list[str]) -> list[str]:
    """Where any of the users is in any form: tables decoded, all else byte by byte."""
    texts = [*to_text(pa.array(users, pa.binary())).to_pylist(), *(user.hex() for user in users), *numbers]
    forms = [*users, *(text.encode() for text in texts)]
    found = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                held = any(names_one_of(column, users, texts) for column in file.read().columns)
        else:
            held = any(form in path.read_bytes() for form in forms)
        found += [str(path)] * held
    return found


def names_one_of(column: pa.ChunkedArray, users: list[bytes], texts: list[str]) -> bool:
    if column.type == pa.binary():
        return pc.any(pc.is_in(column, value_set=pa.array(users, pa.binary()))).as_py() is True
    return any(text in str(column.to_pylist()) for text in texts) if not pa.types.is_primitive(column.type) else False


def test_another_key_changes_every_pseudonym_and_nothing_else(
    dumbbell: Any, served: Home, settings: Settings, feeds: Path, wiped: Store, tmp_path: Path
) -> None:
    before, old = lake_of(served), read_key(served.key_file)
    answers = answers_of(wiped)
    first = numbers_of(served, feeds)
    current = Snapshot.current(served)
    vectors = {
        user: current.user_vectors[row] for user, row in zip(first, current.rows(first), strict=True) if row >= 0
    }
    for point in ("staged", "publishing", "graph", "swapping", "swapped"):
        killed(point, settings, "rekey")
        if point == "staged":
            assert {name: table for name, table in lake_of(served).items() if ".staging" not in name} == before
        with pytest.raises(HomeError, match="halfway"):
            Home.open(settings)
    done = dumbbell("rekey", "--json", home=served.root)
    assert done.status == 0, done
    home = Home.open(settings)
    new = read_key(home.key_file)
    assert new != old
    assert sorted(p.name for p in home.root.glob("number*")) == ["number.key"]
    names = dict(zip(first, numbers_of(home, feeds), strict=True))
    assert not set(names) & set(names.values())

    # The lake is that of a fresh load of the same feeds under the new key.
    fresh = load_settings(home=tmp_path / "fresh")
    other = Home.open(fresh, create=True)
    shutil.copy(home.key_file, other.key_file)
    load(feeds, other, fresh)
    build_dumbbell(Lake(other.lake), fresh)
    contacts.build(Lake(other.lake), fresh)
    found = lake_of(home)
    assert set(found) == set(before)
    for name, table in lake_of(other).items():
        assert found[name].equals(table), name

    # Graph, answers, snapshot and traces name the same customers by their new pseudonyms.
    asked = dumbbell("pseudonym", "--file", "-", home=home.root, stdin="\n".join(
        Pseudonyms(new).numbers_of(pa.array(list(names.values())))))  # fmt: skip
    assert asked.out.split() == to_text(pa.array(list(names.values()))).to_pylist()
    users = {row["user"] for row in wiped.read("MATCH (u:User) RETURN u.user AS user")}
    assert users == set(to_text(Lake(home.lake).read("customers")["user"]).to_pylist())
    assert answers_of(wiped) == [{**answer, "user": names[answer["user"]]} for answer in answers]
    snapshot = Snapshot.current(home)
    for user, vector in vectors.items():
        assert (snapshot.user_vectors[snapshot.rows([names[user]])[0]] == vector).all()
    assert traces_of(home, list(names)) == 0
    assert traces_of(home, list(names.values())) > 0
    assert found_in(home.lake, list(names), []) == found_in(home.root / "audit", list(names), []) == []
    assert found_in(home.root / "audit", [names[first[0]]], [])

    # And all is up to date: nothing is due, and matching goes on.
    assert steps.due(home, settings) == []
    state = MatchState.load(home, settings, Lake(home.lake), snapshot)
    assert match(state, MatchRequest(user=names[first[0]], kind="app", k=3), None).known
