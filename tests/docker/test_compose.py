"""The compose file and the Dockerfile: well formed, on loopback, the versions that the tests run on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from graph.engine.config import memory_mb, neo4j_conf
from graph.engine.releases import DEFAULT_LINE, RELEASES

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def servers(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: s for name, s in compose["services"].items() if s.get("image", "").startswith("neo4j:")}


def test_only_known_keys_are_used(compose: dict[str, Any]) -> None:
    assert set(compose) == {"name", "x-neo4j", "services", "volumes"}
    known = {
        *("image", "build", "command", "depends_on", "environment", "healthcheck"),
        *("network_mode", "profiles", "restart", "volumes"),
    }
    for service in compose["services"].values():
        assert set(service) <= known
        assert ("image" in service) != ("build" in service)
    named = {volume.split(":")[0] for s in compose["services"].values() for volume in s["volumes"]}
    assert {name for name in named if not name.startswith(("$", ".", "/"))} == set(compose["volumes"])


def test_the_images_are_the_versions_that_the_tests_run_on(servers: dict[str, dict[str, Any]]) -> None:
    versions = {name: service["image"].removeprefix("neo4j:") for name, service in servers.items()}
    assert versions["neo4j"] == RELEASES[DEFAULT_LINE].version
    assert sorted(versions.values()) == sorted(release.version for release in RELEASES.values())
    assert all(service.get("profiles") for name, service in servers.items() if name != "neo4j")


def test_everything_is_on_the_hosts_network_and_on_loopback(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {service["network_mode"] for service in services.values()} == {"host"}
    assert not any("ports" in service for service in services.values())
    api = services["api"]
    assert api["environment"]["DUMBBELL_NEO4J_URI"] == "bolt://127.0.0.1:7687"
    assert api["command"][:3] == ["serve", "--host", "127.0.0.1"]
    assert api["depends_on"] == {"neo4j": {"condition": "service_healthy"}}


def test_no_password_is_written_down(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if "PASSWORD" in name or "AUTH" in name:
                assert value.removeprefix("neo4j/").startswith("${DUMBBELL_NEO4J_PASSWORD:?")


@pytest.mark.parametrize("release", RELEASES.values(), ids=str)
def test_the_images_get_the_settings_of_the_products_own_server(release, servers: dict[str, dict[str, Any]]) -> None:
    [service] = [s for s in servers.values() if s["image"] == f"neo4j:{release.version}"]
    given = {_setting(name): value for name, value in service["environment"].items() if name != "NEO4J_AUTH"}
    own = dict(line.split("=", 1) for line in neo4j_conf(release, 7687, memory_mb(24_576)).splitlines())
    not_for_an_image = {
        *("server.bolt.advertised_address", "server.memory.pagecache.size", "db.tx_log.preallocate"),
        *("db.tx_log.rotation.retention_policy", "db.memory.transaction.max"),
        *(name for name in own if "quiet_period" in name),
    }
    assert {n: v for n, v in own.items() if n not in not_for_an_image} == {
        n: v for n, v in given.items() if n not in not_for_an_image
    }


def _setting(variable: str) -> str:
    """The image's rule: `NEO4J_server_default__listen__address` sets `server.default_listen_address`."""
    return variable.removeprefix("NEO4J_").replace("__", "\0").replace("_", ".").replace("\0", "_")


def test_the_dockerfile_installs_by_the_lock_and_copies_what_exists() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text
    assert "USER dumbbell" in text
    copied = [line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set(copied)
