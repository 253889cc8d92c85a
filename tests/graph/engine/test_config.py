"""What the server is told: memory that fits the machine, loopback, silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.engine.config import machine_memory_mb, memory_mb, neo4j_conf
from graph.engine.releases import DEFAULT_LINE, RELEASES, line_of, release_for
from lake.errors import EngineError


@given(st.integers(2_000, 2_000_000))
def test_memory_leaves_most_of_the_machine_to_the_steps(machine_mb: int) -> None:
    memory = memory_mb(machine_mb)
    assert memory["heap"] >= 512
    assert memory["heap"] + memory["pagecache"] <= max(machine_mb // 2, 768)
    assert memory["transaction"] * 3 <= memory["heap"]


def test_eight_gigabytes_are_enough() -> None:
    assert memory_mb(8_000) == {"heap": 1000, "pagecache": 1000, "transaction": 333}


def test_this_machine_has_memory() -> None:
    assert machine_memory_mb() > 500


@pytest.mark.parametrize("release", RELEASES.values(), ids=str)
def test_the_server_listens_on_loopback_and_speaks_to_nobody(release) -> None:
    text = neo4j_conf(release, 4711, memory_mb(8_000))
    settings = dict(line.split("=", 1) for line in text.splitlines())
    addresses = {value for name, value in settings.items() if name.endswith("_address")}
    assert addresses == {"127.0.0.1", "127.0.0.1:4711"}
    assert settings["server.http.enabled"] == settings["server.https.enabled"] == "false"
    assert settings["dbms.usage_report.enabled"] == "false"
    assert settings["dbms.security.allow_csv_import_from_file_urls"] == "false"
    assert settings["internal.dbms.cypher_ip_blocklist"] == "0.0.0.0/0,::/0"
    assert settings["db.memory.transaction.max"] == "333m"


def test_a_new_store_gets_the_default_and_an_old_one_keeps_its_line() -> None:
    assert release_for(None, None) == RELEASES[DEFAULT_LINE]
    assert release_for("5.26", None) == RELEASES["5.26"]
    assert release_for(None, "2026.01.3") == RELEASES["2026"]
    assert release_for("5.26", "5.26.30") == RELEASES["5.26"]


@pytest.mark.parametrize(
    ("line", "filled_by"), [("4.4", None), ("2026", "5.26.30"), (None, "2026.99.0"), (None, "4.4.1")]
)
def test_what_cannot_be_run_is_refused(line: str | None, filled_by: str | None) -> None:
    with pytest.raises(EngineError):
        release_for(line, filled_by)


@pytest.mark.parametrize("release", RELEASES.values(), ids=str)
def test_versions_belong_to_their_lines(release) -> None:
    assert line_of(release.version) == release.line
