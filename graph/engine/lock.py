"""Write the lock of a pinned release: `python -m graph.engine.lock [LINE …]` (for developers; needs Maven).

The set of jars is Maven's own resolution of the server's runtime dependencies; jgo's adds test jars.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from graph.engine.jars import Jar, lock_path, lock_text
from graph.engine.releases import RELEASES, Release
from lake.errors import EngineError

ROOTS = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")
_POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>dumbbell</groupId><artifactId>engine</artifactId><version>1</version><dependencies>{}</dependencies></project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def resolve(release: Release) -> list[Jar]:
    """Ask Maven for the release's jars, and hash them."""
    with tempfile.TemporaryDirectory() as folder:
        pom = Path(folder) / "pom.xml"
        pom.write_text(_POM.format("".join(_DEPENDENCY.format(*root.split(":"), release.version) for root in ROOTS)))
        options = ["-DincludeScope=runtime", "-DoutputFile=list", "-DoutputAbsoluteArtifactFilename=true"]
        command = ["mvn", "-B", "-q", "-f", str(pom), "dependency:list", *options]
        if subprocess.run(command, cwd=folder).returncode:
            raise EngineError(f"Maven could not resolve Neo4j {release.version}", "read what it says above")
        lines = (Path(folder) / "list").read_text().splitlines()
    return [_jar(line.strip()) for line in lines if ":jar:" in line]


def _jar(line: str) -> Jar:
    """One line of `dependency:list`: `group:artifact:jar:[classifier:]version:scope:/path [-- module …]`."""
    group, artifact, _, *classifier, version, _scope, path = line.split(" -- ")[0].strip().split(":")
    content = Path(path).read_bytes()
    return Jar(group, artifact, version, "".join(classifier), len(content), hashlib.sha256(content).hexdigest())


def main(lines: list[str]) -> None:
    for release in [RELEASES[line] for line in lines] if lines else RELEASES.values():
        jars = resolve(release)
        title = f"Neo4j Community {release.version}: made by `python -m graph.engine.lock {release.line}`"
        lock_path(release.version).write_text(lock_text(title, jars), encoding="utf-8")
        sys.stderr.write(f"{lock_path(release.version).name}: {len(jars)} jars\n")


if __name__ == "__main__":
    main(sys.argv[1:])
