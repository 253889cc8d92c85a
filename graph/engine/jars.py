"""Lock files: every jar of a Neo4j release with its checksum, and no address.

One line a jar, `group:artifact:version[:classifier] bytes sha256`, sorted; `#` begins a comment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lake.errors import EngineError

FOLDER = Path(__file__).parent


@dataclass(frozen=True, order=True)
class Jar:
    """One jar by its Maven coordinates, its size in bytes and its SHA-256 (64 hexadecimal characters)."""

    group: str
    artifact: str
    version: str
    classifier: str
    size_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """`group:artifact:version`, with the classifier where there is one."""
        return ":".join(part for part in (self.group, self.artifact, self.version, self.classifier) if part)


def path_of(jar: Jar, cache: Path) -> Path:
    """Where a jar lies in a cache laid out as a Maven repository."""
    name = "-".join(part for part in (jar.artifact, jar.version, jar.classifier) if part) + ".jar"
    return cache.joinpath(*jar.group.split("."), jar.artifact, jar.version, name)


def lock_path(version: str) -> Path:
    """Where the lock of a Neo4j version lies."""
    return FOLDER / f"neo4j-{version}.lock"


def read_lock(path: Path) -> list[Jar]:
    """The jars of a lock file. Raises EngineError, naming file and line, when it does not parse."""
    jars = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        try:
            name, size, sha256 = text.split()
            group, artifact, version, *classifier = name.split(":")
            if len(sha256) != 64 or len(classifier) > 1:
                raise ValueError(text)
            jars.append(Jar(group, artifact, version, "".join(classifier), int(size), sha256))
        except ValueError:
            raise EngineError(
                f"line {number} of {path.name} is not 'group:artifact:version bytes sha256'", "install the product anew"
            ) from None
    return jars


def lock_text(title: str, jars: Iterable[Jar]) -> str:
    """The lock file of some jars; `title` becomes its first comment."""
    lines = [f"{jar.name} {jar.size_bytes} {jar.sha256}" for jar in sorted(jars)]
    return "\n".join([f"# {title}", *lines]) + "\n"
