"""Neo4j's jars: fetched once per user, verified by checksum, shared by all homes, offline afterwards."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.config import GlobalSettings
from jgo.maven import Artifact, MavenContext, PythonResolver
from jgo.util import http

from graph.engine.jars import Jar, lock_path, path_of, read_lock
from lake.errors import EngineError
from lake.home import enough_disk
from lake.progress import console, track

CONNECTIONS = 8
ATTEMPTS = 3
_MODIFIED_S = 315_532_800  # 1980: Java's ahead-of-time cache fits jars of the same times only
_CHUNK_BYTES = 1 << 14  # what a broken connection loses at most


def cache_folder() -> Path:
    """The per-user cache: `$XDG_CACHE_HOME/dumbbell/neo4j`, by default below `~/.cache`."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "dumbbell" / "neo4j"


def fetch(version: str, cache: Path | None = None, remote_repos: dict[str, str] | None = None) -> list[Path]:
    """The verified jars of a Neo4j version, fetching what the cache does not hold yet.

    Safe when several processes begin at once: one fetches, the others wait for it. A broken
    download goes on where it stopped. `remote_repos` (name: address) are Maven repositories; without
    them those of jgo's own settings file are asked, or Maven Central.

    Raises EngineError when a jar cannot be had, or is not the one that the lock names.
    """
    return fetch_jars(read_lock(lock_path(version)), f"Neo4j {version}", cache, remote_repos)


def fetch_jars(
    jars: list[Jar], title: str, cache: Path | None = None, remote_repos: dict[str, str] | None = None
) -> list[Path]:
    """`fetch` for any list of jars: their paths, in the same order."""
    cache = cache or cache_folder()
    repositories = remote_repos or GlobalSettings.load().repositories or None
    context = MavenContext(LockedResolver(), cache, remote_repos=repositories, timeout=30)
    artifacts = [_artifact(context, jar) for jar in jars]
    paths = [path_of(jar, cache) for jar in jars]
    with enough_disk(cache.parent if cache.parent.exists() else Path("/")):
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache), ThreadPoolExecutor(CONNECTIONS) as pool:
            verified = pool.map(_is_verified, jars, paths)
            missing = [(jar, a) for jar, a, good in zip(jars, artifacts, verified, strict=True) if not good]
            if missing:
                _download(pool, missing, title)
    return paths


def _download(pool: ThreadPoolExecutor, missing: list[tuple[Jar, Artifact]], title: str) -> None:
    megabytes = sum(jar.size_bytes for jar, _ in missing) / 1e6
    console.print(f"Fetching {title}, once for this user ({len(missing)} jars, {megabytes:.0f} MB)", highlight=False)
    downloads = {pool.submit(_download_one, jar, artifact): jar for jar, artifact in missing}
    try:
        for done in track(as_completed(downloads), f"Fetching {title}", total=len(downloads)):
            done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _download_one(jar: Jar, artifact: Artifact) -> None:
    """One jar into the cache. A checksum that does not fit is tried once more, from the first byte."""
    path = artifact.cached_path
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    part = path.with_name(path.name + ".part")
    for _ in range(2):
        artifact.resolve()
        if _is_verified(jar, part):
            os.utime(part, (_MODIFIED_S, _MODIFIED_S))
            os.replace(part, path)
            return
        part.unlink()
    raise EngineError(
        f"the repository's {jar.name} is not the jar that this version of the product was tested with",
        "nothing of it was kept; ask your network's administrators whether a mirror alters downloads, and try again",
    )


class LockedResolver(PythonResolver):
    """jgo's resolver, with downloads that go on where they stopped and stay apart until verified."""

    def download(self, artifact: Artifact) -> Path:
        """Fetch into `<jar>.part`. Raises EngineError when no repository gives the jar."""
        path = artifact.cached_path
        assert path is not None
        part = path.with_name(path.name + ".part")
        reason = "no repository is set"
        for address in artifact.context.remote_repos.values():
            url = f"{address}/{artifact.component.path_prefix.as_posix()}/{artifact.filename}"
            for _ in range(ATTEMPTS):
                try:
                    status = _continue(url, part, artifact.context.timeout)
                except requests.RequestException as error:
                    reason = type(error).__name__
                    continue
                if status in (200, 206):
                    return part
                reason = f"HTTP status {status}"
                if status < 500:
                    break
        raise EngineError(
            f"Neo4j's {artifact.filename} could not be fetched ({reason})",
            "run this once with a network, or name a server with DUMBBELL_NEO4J_URI; what has arrived is kept",
        )


def _continue(url: str, part: Path, timeout_s: float) -> int:
    """Ask for what `part` lacks and append it; returns the HTTP status (200, 206: complete)."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with http.get(url, headers=headers | {"Accept-Encoding": "identity"}, stream=True, timeout=timeout_s) as response:
        if response.status_code == 416:  # nothing is left to send, or the part is longer than the jar
            return 206
        if response.status_code in (200, 206):
            with open(part, "ab" if response.status_code == 206 else "wb") as file:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    file.write(chunk)
        return response.status_code


def _artifact(context: MavenContext, jar: Jar) -> Artifact:
    return context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier)


def _is_verified(jar: Jar, path: Path) -> bool:
    if not path.exists() or path.stat().st_size != jar.size_bytes:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Hold the cache; the operating system lets go when the process ends, however it ends."""
    with open(cache / "lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
