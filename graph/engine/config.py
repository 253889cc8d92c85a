"""neo4j.conf: on loopback alone, silent towards the network, memory from the machine's size."""

from __future__ import annotations

from pathlib import Path

import psutil

from graph.engine.releases import Release

MB = 1 << 20
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine_memory_mb() -> int:
    """What this process may use: the machine's memory, or its container's limit when that is less."""
    total = psutil.virtual_memory().total
    for limit in _CGROUP_LIMITS:
        if limit.exists() and (text := limit.read_text().strip()).isdigit():
            total = min(total, int(text))
    return total // MB


def memory_mb(machine_mb: int) -> dict[str, int]:
    """Megabytes of heap, page cache and one transaction: an eighth of the machine each for the first two.

    The rest stays for the steps that run beside the server (contacts and training want more than it).

    >>> memory_mb(24_000)
    {'heap': 3000, 'pagecache': 3000, 'transaction': 1000}
    >>> memory_mb(2_000)
    {'heap': 512, 'pagecache': 256, 'transaction': 170}
    """
    heap = min(max(machine_mb // 8, 512), 31_000)  # beyond 31 GB Java's pointers double
    return {"heap": heap, "pagecache": max(machine_mb // 8, 256), "transaction": heap // 3}


def neo4j_conf(release: Release, port: int, memory: dict[str, int]) -> str:
    """The text of neo4j.conf; paths in it are relative to the server's own folder."""
    settings = {
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.bolt.advertised_address": f"127.0.0.1:{port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "server.memory.pagecache.size": f"{memory['pagecache']}m",
        "db.memory.transaction.max": f"{memory['transaction']}m",
        "db.tx_log.preallocate": "false",
        "db.tx_log.rotation.size": "64m",
        "db.tx_log.rotation.retention_policy": "2 files",
        "db.logs.query.enabled": "OFF",  # queries carry pseudonyms
        "dbms.usage_report.enabled": "false",
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
        **release.settings,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
