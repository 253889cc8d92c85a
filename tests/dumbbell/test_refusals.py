"""Bad input: a sentence that names the thing and the remedy, the exit status, no traceback, nothing half-written."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner


def refused(done: Any, *words: str, status: int = 1, code: str | None = None) -> None:
    assert done.status == status, done
    assert "Traceback" not in done.err, done
    for word in words:
        assert word in done.err, done
    if code is not None:
        assert done.json["error"] == code


def write_small(folder: Path) -> None:
    """A feed folder of two customers and one app."""
    folder.mkdir()
    (folder / "users.csv").write_text("number,city\n4915100000001,A\n4915100000002,B\n")
    (folder / "apps.csv").write_text("app,name\nmaps,Maps\n")
    (folder / "app_usage.csv").write_text("number,app,at\n4915100000001,maps,2026-05-01\n")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_small(tmp_path / "feeds")
    return tmp_path / "feeds"


@pytest.fixture(scope="module")
def ran(dumbbell: Any, wiped: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after `run` on that folder, for what is refused before it does anything."""
    folder = tmp_path_factory.mktemp("ran")
    write_small(folder / "feeds")
    done = dumbbell("run", folder / "feeds", home=folder / "home")
    assert done.status == 0, done
    return folder / "home"


def lake_of(home: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted((home / "lake").rglob("*")) if p.is_file()}


def test_feed_with_a_missing_column(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    (small / "apps.csv").write_text("app,title\nmaps,Maps\n")
    home = tmp_path / "home"
    refused(dumbbell("load", small, "--json", home=home), "apps.csv", "name", code="feed_refused")
    assert lake_of(home) == {}


def test_empty_folder(dumbbell: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(dumbbell("load", tmp_path / "empty", home=tmp_path / "home"), "empty")


def test_folder_that_is_not_there(dumbbell: Any, tmp_path: Path) -> None:
    refused(dumbbell("load", tmp_path / "nowhere", home=tmp_path / "home"), "nowhere")


def test_another_encoding_names_the_setting(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    (small / "users.csv").write_bytes("number,city\n4915100000001,北京\n".encode("gb18030"))
    home = tmp_path / "home"
    refused(dumbbell("load", small, home=home), "users.csv", "DUMBBELL_ENCODING")
    assert dumbbell("check", small, home=home, encoding="gb18030").status == 0


def test_strict_refuses_the_whole_folder(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    (small / "app_usage.csv").write_text("number,app,at\n49151x,maps,2026-05-01\n")
    home = tmp_path / "home"
    done = dumbbell("load", small, "--strict", home=home)
    refused(done, "app_usage.csv")
    assert "49151x" not in done.out + done.err
    assert lake_of(home) == {}


def test_wrong_password_names_the_setting(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = dumbbell("load", small, "--json", home=home, neo4j_password="not-this-one")
    refused(done, "DUMBBELL_NEO4J_PASSWORD", code="engine_password")
    assert "not-this-one" not in done.out + done.err
    assert lake_of(home) == {}


def test_home_held_by_another_command(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert dumbbell("pseudonym", "--file", "-", home=home, stdin="4915100000001\n").status == 0
    with open(home / "lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write("`dumbbell load` (process 1)")
        lock.flush()
        refused(dumbbell("load", small, "--json", home=home), "process 1", "--wait", code="home_held")


def test_wrong_key(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert dumbbell("pseudonym", "--file", "-", home=home, stdin="4915100000001\n").status == 0
    assert stat.S_IMODE((home / "number.key").stat().st_mode) == 0o600
    other = tmp_path / "other.key"
    other.write_text(os.urandom(32).hex())
    refused(dumbbell("load", small, "--json", home=home, key_file=other), "DUMBBELL_KEY_FILE", code="wrong_key")


def test_full_disk_takes_nothing(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    """The file system's limit is played by the process's own: no file may grow past a few hundred bytes."""
    import subprocess
    import sys

    home = tmp_path / "home"
    assert dumbbell("pseudonym", "--file", "-", home=home, stdin="4915100000001\n").status == 0
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700));"
        "sys.argv = ['dumbbell', 'load', sys.argv[1], '--json', '--home', sys.argv[2]];"
        "from dumbbell.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, small, home], capture_output=True, text=True, env=dict(os.environ), timeout=300
    )
    assert done.returncode == 1, done.stderr
    assert '"disk_full"' in done.stdout
    assert "Traceback" not in done.stderr
    assert not list((home / "lake").glob("*.parquet"))


def test_port_in_use(dumbbell: Any, ran: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(dumbbell("serve", "--port", port, "--json", home=ran), str(port), code="address_in_use")


def test_serving_beyond_loopback_needs_tls(dumbbell: Any, ran: Path) -> None:
    refused(dumbbell("serve", "--host", "0.0.0.0", home=ran), "DUMBBELL_TLS_CERT")


def test_unknown_template_and_parameter(dumbbell: Any, ran: Path) -> None:
    refused(dumbbell("template", "show", "shrinking"), "shrinking_circles", status=2)
    done = dumbbell("template", "run", "shrinking_circles", "--param", "colour=red", home=ran)
    refused(done, "colour", "limit", status=2)


def test_k_of_nothing(dumbbell: Any, ran: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    refused(
        dumbbell("match", "--kind", "app", "--k", 0, "--out", out, "--json", home=ran),
        "--k",
        status=2,
        code="bad_value",
    )
    assert not out.exists()


def test_a_command_before_its_time(dumbbell: Any, tmp_path: Path) -> None:
    refused(dumbbell("analyse", home=tmp_path / "home"), "dumbbell load")
    refused(
        dumbbell("match", "--kind", "app", "--out", tmp_path / "x.parquet", home=tmp_path / "home"), "dumbbell load"
    )


def test_bad_setting_is_named(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    refused(
        dumbbell("check", small, home=tmp_path / "home", timezone="Mars/Olympus"), "DUMBBELL_TIMEZONE", "Mars/Olympus"
    )


def test_wrong_usage_is_2(dumbbell: Any) -> None:
    assert dumbbell("load").status == 2
    assert dumbbell("nothing-of-the-kind").status == 2


def test_other_files_are_no_home(dumbbell: Any, small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    refused(dumbbell("load", small, home=folder), "documents", "--home")
    assert [p.name for p in folder.iterdir()] == ["letter.txt"]


def test_help_lists_every_command_with_an_example(dumbbell: Any) -> None:
    from dumbbell.__main__ import MODULES, app

    overview = dumbbell("--help")
    for module in set(MODULES.values()):
        import_module(f"dumbbell.commands.{module}").register(app)
    for name in MODULES:
        assert name in overview.out
        shown = CliRunner().invoke(app, [name, "--help"])
        assert shown.exit_code == 0
        assert "Example:" in shown.output or name in ("template", "key")
