"""Every command and snippet of the pages runs, in the order of the page, in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lake.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = ["operator.md", "marketer.md", "analyst.md", "sample.md"]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def environment(neo4j_endpoint: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The run's server, `dumbbell` on the path, and a home filled from a small sample for the pages that need one."""
    from graph.store import Store

    with Store(neo4j_endpoint) as store:
        store.wipe()
    folder = tmp_path_factory.mktemp("pages")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DUMBBELL_")}
    found = kept | {
        "DUMBBELL_NEO4J_URI": neo4j_endpoint.uri,
        "DUMBBELL_NEO4J_USER": neo4j_endpoint.user,
        "DUMBBELL_NEO4J_PASSWORD": neo4j_endpoint.password,
        "DUMBBELL_HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    make = "dumbbell sample feeds/ --users 500 --months 4 --seed 1 && dumbbell run feeds/"
    subprocess.run(["bash", "-c", make], check=True, cwd=folder, env=found, capture_output=True, timeout=600)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_page_runs(page: str, environment: dict[str, str], tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / page).read_text())
    assert blocks, f"{page} shows no command"
    if any("curl " in body for kind, body in blocks if kind == "sh") and not shutil.which("curl"):
        pytest.skip("curl is not on this machine: the page's HTTP calls cannot be pasted")
    script = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"]
    for number, (kind, body) in enumerate(blocks):
        if kind == "sh":
            script.append(body)
        else:
            snippet = tmp_path / f"snippet{number}.py"
            snippet.write_text(body)
            script.append(f"{sys.executable} {snippet}")
    settings = dict(environment)
    if page == "operator.md":  # this page fills a home itself
        settings["DUMBBELL_HOME"] = str(tmp_path / "home")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    assert "Traceback" not in done.stderr
    assert '"status":4' not in done.stdout
    assert '"status":5' not in done.stdout


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs" / "operator.md").read_text()
    missing = [name for name in Settings.model_fields if f"_{name.upper()}`" not in text]
    assert not missing


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
