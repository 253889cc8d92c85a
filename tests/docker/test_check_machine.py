"""The look at the machine before the install: any Python can run it, and it says what to do."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docker" / "check_machine.py"
CHECK = runpy.run_path(str(SCRIPT))


@pytest.mark.parametrize("version", [(3, 11), (3, 12, 4), (3, 13, 0)])
def test_the_locked_pythons_pass(version: tuple[int, ...]) -> None:
    assert CHECK["problem_with_python"](version, "CPython") == ""


@pytest.mark.parametrize(("version", "kind"), [((3, 10), "CPython"), ((3, 14), "CPython"), ((3, 11), "PyPy")])
def test_another_python_is_named_with_what_would_work(version: tuple[int, ...], kind: str) -> None:
    said = CHECK["problem_with_python"](version, kind)
    assert f"{kind} 3.{version[1]}" in said
    assert "make PYTHON=python3.13" in said


def test_too_little_disk_is_named_with_what_is_needed() -> None:
    assert CHECK["problem_with_disk"](9 * 10**9) == ""
    assert "3.2 GB are free" in CHECK["problem_with_disk"](3_200_000_000)
    assert "needs about 8 GB" in CHECK["problem_with_disk"](3_200_000_000)


def test_the_range_is_the_projects() -> None:
    import tomllib

    required = tomllib.loads((SCRIPT.parents[1] / "pyproject.toml").read_text())["project"]["requires-python"]
    assert required == f">=3.{CHECK['OLDEST'][1]},<3.{CHECK['NEWEST'][1] + 1}"


def test_it_needs_nothing_installed_and_parses_on_old_pythons() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)
    done = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == (1 if done.stderr else 0)
