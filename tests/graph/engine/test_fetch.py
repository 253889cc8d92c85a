"""Fetching jars from a repository on loopback that breaks, lies or is gone."""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from graph.engine import fetch as fetching
from graph.engine.fetch import cache_folder, fetch_jars
from graph.engine.jars import Jar, path_of
from lake.errors import EngineError

SIZE = 300_000
CONTENTS = {name: random.Random(name).randbytes(SIZE) for name in ("a", "b", "c", "native")}
JARS = [
    Jar(
        "org.example",
        name,
        "1.0",
        "linux-x86_64" if name == "native" else "",
        SIZE,
        hashlib.sha256(content).hexdigest(),
    )
    for name, content in CONTENTS.items()
]


class Repository(ThreadingHTTPServer):
    """A Maven repository: `contents` by path; sends `cut_after` bytes of a first answer, then breaks off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.contents = {"/" + path_of(jar, Path()).as_posix(): CONTENTS[jar.artifact] for jar in JARS}
        self.requests: list[tuple[str, str | None]] = []
        self.cut_after: int | None = None
        self.knows_ranges = True
        self.remote_repos = {"here": f"http://127.0.0.1:{self.server_address[1]}"}

    @property
    def asked(self) -> Counter[str]:
        return Counter(path for path, _ in self.requests)


class _Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        wanted = self.headers.get("Range") if self.server.knows_ranges else None
        is_first = self.path not in self.server.asked
        self.server.requests.append((self.path, wanted))
        content = self.server.contents.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cut = self.server.cut_after if is_first else None
        self.wfile.write(content[start:] if cut is None else content[start : start + cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def repository() -> Iterator[Repository]:
    server = Repository()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fetched(repository: Repository, tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: fetch_jars(JARS, "some jars", tmp_path / "cache", repository.remote_repos)


def test_jars_are_fetched_once_and_then_offline(fetched: Callable[[], list[Path]], repository: Repository) -> None:
    paths = fetched()
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert paths[3].name == "native-1.0-linux-x86_64.jar"
    assert len(repository.requests) == len(JARS)
    repository.contents.clear()
    assert fetched() == paths
    assert len(repository.requests) == len(JARS)


def test_first_starts_at_once_fetch_once(fetched: Callable[[], list[Path]], repository: Repository) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = [future.result() for future in [pool.submit(fetched) for _ in range(4)]]
    assert all(paths == results[0] for paths in results)
    assert set(repository.asked.values()) == {1}


def test_a_broken_download_goes_on_where_it_stopped(fetched: Callable[[], list[Path]], repository: Repository) -> None:
    repository.cut_after = 123_456
    assert [path.read_bytes() for path in fetched()] == list(CONTENTS.values())
    starts = [int(range_[len("bytes=") : -1]) for _, range_ in repository.requests if range_]
    assert len(starts) == len(JARS)
    assert all(100_000 < start <= 123_456 for start in starts)


def test_a_killed_run_is_taken_up_by_the_next(
    fetched: Callable[[], list[Path]], repository: Repository, tmp_path: Path
) -> None:
    part = path_of(JARS[0], tmp_path / "cache").with_suffix(".jar.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENTS["a"][:200_000])
    assert fetched()[0].read_bytes() == CONTENTS["a"]
    assert ("/org/example/a/1.0/a-1.0.jar", "bytes=200000-") in repository.requests


def test_a_part_that_is_whole_or_wrong_already_does_no_harm(
    fetched: Callable[[], list[Path]], repository: Repository, tmp_path: Path
) -> None:
    whole, wrong, longer = (path_of(jar, tmp_path / "cache").with_suffix(".jar.part") for jar in JARS[:3])
    for part, content in ((whole, CONTENTS["a"]), (wrong, b"x" * 1000), (longer, CONTENTS["c"] + b"more")):
        part.parent.mkdir(parents=True)
        part.write_bytes(content)
    assert [path.read_bytes() for path in fetched()] == list(CONTENTS.values())


def test_a_repository_without_ranges_begins_anew(fetched: Callable[[], list[Path]], repository: Repository) -> None:
    repository.cut_after, repository.knows_ranges = 1000, False
    assert [path.read_bytes() for path in fetched()] == list(CONTENTS.values())


def test_a_jar_damaged_in_the_cache_is_fetched_again(fetched: Callable[[], list[Path]], repository: Repository) -> None:
    paths = fetched()
    paths[1].write_bytes(b"y" * SIZE)
    assert [path.read_bytes() for path in fetched()] == list(CONTENTS.values())
    assert repository.asked["/org/example/b/1.0/b-1.0.jar"] == 2


def test_a_jar_with_another_checksum_is_refused_and_not_kept(
    fetched: Callable[[], list[Path]], repository: Repository, tmp_path: Path
) -> None:
    repository.contents["/org/example/b/1.0/b-1.0.jar"] = b"z" * SIZE
    with pytest.raises(EngineError, match=r"org.example:b:1.0 is not the jar .* tested with"):
        fetched()
    assert not list(path_of(JARS[1], tmp_path / "cache").parent.iterdir())
    assert repository.asked["/org/example/b/1.0/b-1.0.jar"] == 2  # a damaged download gets a second try


def test_a_missing_jar_and_a_missing_network_say_what_to_do(
    fetched: Callable[[], list[Path]], repository: Repository, tmp_path: Path
) -> None:
    del repository.contents["/org/example/c/1.0/c-1.0.jar"]
    with pytest.raises(EngineError, match=r"c-1.0.jar could not be fetched \(HTTP status 404\).*DUMBBELL_NEO4J_URI"):
        fetched()
    with pytest.raises(EngineError, match=r"could not be fetched \(ConnectionError\): run this once with a network"):
        fetch_jars(JARS, "some jars", tmp_path / "other", {"gone": "http://127.0.0.1:9"})


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "dumbbell" / "neo4j"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "dumbbell" / "neo4j"


def test_a_full_disk_is_a_sentence(fetched: Callable[[], list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from lake.errors import DiskFull

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "_continue", full)
    with pytest.raises(DiskFull, match="no space left"):
        fetched()
