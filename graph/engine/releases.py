"""The Neo4j releases that the product runs, one a line of releases, and what differs between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lake.errors import EngineError


@dataclass(frozen=True)
class Release:
    """One pinned release of Neo4j Community.

    `line` is what a home stays on: patches of a line read each other's stores.
    """

    line: str
    version: str
    main_class: str
    settings: dict[str, str] = field(default_factory=dict)


RELEASES = {
    release.line: release
    for release in (
        Release(
            "2026",
            "2026.08.1",
            "org.neo4j.server.Neo4jCommunity",
            {
                "server.fleet_discovery.enabled": "false",
                "dbms.fleet_manager.enabled": "false",
                "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration": "0s",
            },
        ),
        Release(
            "5.26",
            "5.26.30",
            "org.neo4j.server.CommunityEntryPoint",
            {"internal.dbms.bolt.netty_server_shutdown_quiet_period": "0"},
        ),
    )
}
DEFAULT_LINE = "2026"


def release_for(line: str | None, filled_by: str | None) -> Release:
    """The release to run on a store that `filled_by` (a version, None for a new store) wrote last.

    Without a `line`, a store stays on its own, and a new one gets the default. Raises EngineError
    for an unknown line, another line than the store's, and a store written by a later version.

    >>> release_for(None, None).version == RELEASES["2026"].version
    True
    >>> release_for(None, "5.26.1").line
    '5.26'
    """
    if line is not None and line not in RELEASES:
        raise EngineError(f"there is no Neo4j line {line!r} here", f"one of {', '.join(RELEASES)} would work")
    if filled_by is None:
        return RELEASES[line or DEFAULT_LINE]
    own = line_of(filled_by)
    if own not in RELEASES or (line is not None and line != own):
        raise EngineError(
            f"the home's graph was written by Neo4j {filled_by}, not by {line or 'a line known here'}",
            "use the version of the product that filled it, or load the feeds into a new home",
        )
    release = RELEASES[own]
    if _parts(filled_by) > _parts(release.version):
        raise EngineError(
            f"the home's graph was written by Neo4j {filled_by}, later than {release.version}",
            "use the version of the product that filled it, or load the feeds into a new home",
        )
    return release


def line_of(version: str) -> str:
    """`2026.08.1` is of line `2026`, `5.26.30` of `5.26`."""
    parts = version.split(".")
    return parts[0] if int(parts[0]) > 2000 else ".".join(parts[:2])


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
