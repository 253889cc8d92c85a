"""`python -m graph.engine.prepare [LINE …]`: fetch Neo4j ahead of its first use, and make its starts quick."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
import time
from pathlib import Path

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from graph.engine import aot, config, java
from graph.engine.fetch import cache_folder, fetch
from graph.engine.folder import USER, EngineFolder
from graph.engine.releases import DEFAULT_LINE, Release, release_for
from lake.errors import DumbbellError, EngineError
from lake.progress import console, working

START_S = 240.0
_PASSWORD = "only-for-this-training"  # noqa: S105  of an empty store on loopback, deleted a minute later
_QUERIES = (
    "CREATE CONSTRAINT user IF NOT EXISTS FOR (u:User) REQUIRE u.user IS UNIQUE",
    "UNWIND range(1, 100) AS i MERGE (u:User {user: toString(i)}) SET u.n = i",
    "MATCH (a:User), (b:User {n: a.n + 1}) MERGE (a)-[:CALLS]->(b)",
    "MATCH (a:User)-[:CALLS*1..2]-(b:User) WHERE a.n < 10 RETURN a.user AS user, count(b) AS n ORDER BY n DESC LIMIT 5",
)


def prepare(line: str) -> None:
    """Fetch a line's jars and train its ahead-of-time cache, where that has not been done. Raises EngineError."""
    release = release_for(line, None)
    jars = fetch(release.version)
    if not aot.archive_path(release.version, cache_folder()).exists():
        with working(f"Preparing Neo4j {release.version} for quick starts, once for this user"):
            train(release, jars, cache_folder())


def train(release: Release, jars: list[Path], cache: Path) -> Path:
    """Start the release once on an empty store, ask it a little, and keep what Java has learned (20 to 60 s).

    Raises EngineError when the server does not start, or leaves nothing.
    """
    path = aot.archive_path(release.version, cache)
    with open(cache / "lock", "a") as lock, tempfile.TemporaryDirectory(dir=cache, prefix=".aot-") as temporary:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = EngineFolder(Path(temporary) / "neo4j")
        folder.make()
        fresh = Path(temporary) / path.name
        reservation, port = java.reserve_port()
        with reservation:
            memory = config.memory_mb(config.machine_memory_mb())
            folder.conf.write_text(config.neo4j_conf(release, port, memory))
            java.set_initial_password(jars, folder.root, _PASSWORD)
            extra = [*aot.FLAGS, f"-XX:AOTCacheOutput={fresh}"]
            server = java.start_server(
                release, jars, folder.root, memory["heap"], folder.console_log, lock.fileno(), extra
            )
            try:
                _ask(port)
            finally:
                server.terminate()
                server.wait()
        if not fresh.exists():
            raise EngineError(f"Java kept nothing of Neo4j {release.version}'s start", folder.log_tail())
        os.replace(fresh, path)
    return path


def _ask(port: int) -> None:
    deadline = time.monotonic() + START_S
    with neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{port}", auth=(USER, _PASSWORD)) as driver:
        while True:
            try:
                driver.verify_connectivity()
                break
            except (DriverError, Neo4jError) as error:
                if time.monotonic() > deadline:
                    raise EngineError("Neo4j did not start", f"it said {type(error).__name__}") from error
                time.sleep(0.2)
        for query in _QUERIES:
            driver.execute_query(query)


def main(lines: list[str]) -> int:
    try:
        for line in lines or [DEFAULT_LINE]:
            prepare(line)
    except DumbbellError as error:
        console.print(str(error), highlight=False, markup=False)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
