"""The home's server and its users as real processes: killed, interrupted, starting at once."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.engine.folder import EngineFolder
from graph.engine.server import Endpoint, running
from graph.store import Store, open_store
from lake.errors import EngineError, EnginePassword, EngineUnavailable, SettingError
from lake.home import Home
from lake.settings import Settings

from .conftest import User, keepers_of, processes_of, servers_of, wait_until

NewUser = Callable[[], User]


def test_first_starts_at_once_share_a_server_that_outlives_its_killed_starter(
    home: Home, folder: EngineFolder, new_user: NewUser
) -> None:
    users = [new_user(), new_user(), new_user()]
    uris = {user.line("uri") for user in users}
    assert len(uris) == len(servers_of(home)) == len(keepers_of(home)) == 1
    assert uris.pop().startswith("bolt://127.0.0.1:")

    password = folder.password_file.read_text()
    assert len(password) >= 32
    assert stat.S_IMODE(folder.password_file.stat().st_mode) == 0o600
    for process in processes_of(home):
        assert password not in " ".join(process.cmdline())
    assert password not in (folder.root / "java.arguments").read_text()
    for connection in servers_of(home)[0].net_connections():
        assert connection.laddr.ip in ("127.0.0.1", "::ffff:127.0.0.1", "::1")

    starter = keepers_of(home)[0].ppid()
    first, *others = sorted(users, key=lambda user: user.process.pid != starter)
    assert first.process.pid == starter
    first.kill()
    others[0].interrupt()  # Ctrl-C
    assert others[1].ask("MERGE (a:App {app: 'a1'}) RETURN a.app AS app") == "[{'app': 'a1'}]"
    others[1].leave()
    assert processes_of(home) == []  # whoever leaves last has waited for it


def test_killed_users_leave_nothing_running(home: Home, new_user: NewUser) -> None:
    user = new_user()
    wait_until(lambda: bool(servers_of(home)), "the server is being started")
    user.kill()  # before it is up
    wait_until(lambda: not processes_of(home), "keeper and server are gone")


def test_a_dead_server_and_a_dead_keeper_are_replaced(home: Home, folder: EngineFolder, new_user: NewUser) -> None:
    user = new_user()
    uri = user.line("uri")
    user.ask("CREATE (:App {app: 'a1'})")

    server, keeper = servers_of(home)[0], keepers_of(home)[0]
    server.kill()
    assert user.ask("MATCH (a:App) RETURN a.app AS app") == "[{'app': 'a1'}]"  # acknowledged, so still there
    assert keepers_of(home) == [keeper]
    assert servers_of(home) != [server]

    keeper.kill()
    wait_until(lambda: not processes_of(home), "the server went with its keeper")
    newcomer = new_user()
    assert newcomer.line("uri") == uri  # the same port, so that those who stayed find it
    assert user.ask("MATCH (a:App) RETURN a.app AS app") == "[{'app': 'a1'}]"
    assert len(servers_of(home)) == 1
    newcomer.leave()
    user.leave()
    assert processes_of(home) == []


def test_a_server_that_does_not_start_shows_its_log(
    home: Home, settings: Settings, folder: EngineFolder, neo4j_line: str
) -> None:
    (folder.data / "databases" / "system").mkdir(parents=True)
    folder.password_file.write_text("something")
    with open(folder.data / "databases" / "store_lock", "w") as store_lock:
        fcntl.lockf(store_lock, fcntl.LOCK_EX)  # as another server on the same data would
        with pytest.raises(EngineError) as caught, running(home, settings, line=neo4j_line):
            pass
    assert "did not start: see " in str(caught.value)
    assert "Lock file has been locked by another process" in str(caught.value)
    assert processes_of(home) == []


def test_a_store_without_its_password_file_is_not_opened(
    home: Home, settings: Settings, folder: EngineFolder, neo4j_line: str
) -> None:
    (folder.data / "databases" / "system").mkdir(parents=True)
    with (
        pytest.raises(EngineError, match=r"password is gone.*: bring it back"),
        running(home, settings, line=neo4j_line),
    ):
        pass


@pytest.mark.parametrize("version", ["2099.01.0", "5.26.99", "4.4.0"])
def test_a_store_of_a_later_or_unknown_version_is_refused(
    home: Home, settings: Settings, folder: EngineFolder, version: str
) -> None:
    folder.version_file.write_text(version)
    with pytest.raises(EngineError, match=rf"written by Neo4j {version}"), running(home, settings):
        pass
    assert processes_of(home) == []


@pytest.fixture
def named(settings: Settings, neo4j_endpoint: Endpoint) -> Callable[..., Settings]:
    """Settings that name the run's own server, with some of them changed."""
    from pydantic import SecretStr

    def change(password: str = neo4j_endpoint.password, uri: str = neo4j_endpoint.uri) -> Settings:
        return settings.model_copy(update={"neo4j_uri": uri, "neo4j_password": SecretStr(password)})

    return change


def test_a_named_server_is_used_instead(home: Home, named: Callable[..., Settings], neo4j_store: Store) -> None:
    neo4j_store.write("CREATE (:App {app: 'there'})")
    with open_store(home, named()) as store:
        assert store.read("MATCH (a:App) RETURN a.app AS app") == [{"app": "there"}]
    assert not (home.neo4j / "data").exists()


def test_a_wrong_password_names_the_setting_and_not_the_value(home: Home, named: Callable[..., Settings]) -> None:
    with (
        pytest.raises(EnginePassword, match="DUMBBELL_NEO4J_PASSWORD") as caught,
        running(home, named(password="not-the-password")),
    ):
        pass
    assert "not-the-password" not in str(caught.value)


def test_a_server_that_is_not_there_is_unavailable(home: Home, named: Callable[..., Settings]) -> None:
    with (
        pytest.raises(EngineUnavailable, match=r"bolt://127.0.0.1:9 does not answer"),
        running(home, named(uri="bolt://127.0.0.1:9")),
    ):
        pass


@pytest.mark.parametrize("uri", ["127.0.0.1", "http://127.0.0.1:7474", "bolt://user:secret@127.0.0.1:9"])
def test_an_address_that_is_none_names_the_setting(home: Home, named: Callable[..., Settings], uri: str) -> None:
    with pytest.raises((SettingError, EngineUnavailable)) as caught, running(home, named(uri=uri)):
        pass
    assert "DUMBBELL_NEO4J_URI" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_store_says_when_its_server_is_gone(neo4j_endpoint: Endpoint) -> None:
    with Store(Endpoint("bolt://127.0.0.1:9", neo4j_endpoint.user, "x")) as store, pytest.raises(EngineUnavailable):
        store.read("RETURN 1")


def test_no_java_of_the_machine_is_asked() -> None:
    from graph.engine import java

    source = Path(java.__file__).read_text()
    assert "JAVA_HOME" not in source
    assert java._LOCALE["PATH"] == os.defpath
