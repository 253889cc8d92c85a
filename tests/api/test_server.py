"""Serving: what is refused before anything starts, one worker, two workers, and a clean end."""

import os
import pickle
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api.server import serve
from lake.errors import AddressInUse, BadValue, SettingError
from lake.home import Home
from lake.settings import Settings
from tests.api.conftest import Operator, soon, text

SERVE = """
import sys
from api.server import serve
from lake.home import Home
from lake.settings import load_settings

if __name__ == "__main__":
    settings = load_settings()
    home = Home.open(settings)
    serve(home, settings, port=0, workers=int(sys.argv[1]), on_ready=lambda address: print(address, flush=True))
    print("over", flush=True)
"""


def test_beyond_loopback_needs_tls(operator: Operator, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(SettingError, match="DUMBBELL_TLS_CERT and DUMBBELL_TLS_KEY"):
            serve(operator.home, operator.settings, host=host)
    half = operator.settings.model_copy(update={"tls_cert": tmp_path / "cert.pem"})
    with pytest.raises(SettingError, match="only one"):
        serve(operator.home, half)
    absent = half.model_copy(update={"tls_key": tmp_path / "key.pem"})
    with pytest.raises(SettingError, match="DUMBBELL_TLS_CERT"):
        serve(operator.home, absent, host="0.0.0.0")


def test_a_port_in_use(operator: Operator) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match=f"port {port}.*--port"):
            serve(operator.home, operator.settings, port=port)


def test_wrong_values(operator: Operator) -> None:
    with pytest.raises(BadValue, match="worker"):
        serve(operator.home, operator.settings, workers=0)
    tls = operator.settings.model_copy(update={"tls_cert": Path("c"), "tls_key": Path("k")})
    with pytest.raises(SettingError):
        serve(operator.home, tls, host="no.such.host.invalid")


def start(operator: Operator, tmp_path: Path, workers: int) -> tuple[subprocess.Popen[str], str]:
    script = tmp_path / "serve_it.py"
    script.write_text(SERVE)
    endpoint = operator.store.endpoint
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DUMBBELL_HOME": str(operator.home.root),
        "DUMBBELL_TODAY": str(operator.settings.today),
        "DUMBBELL_NEO4J_URI": endpoint.uri,
        "DUMBBELL_NEO4J_USER": endpoint.user,
        "DUMBBELL_NEO4J_PASSWORD": endpoint.password,
    }
    process = subprocess.Popen(
        [sys.executable, script, str(workers)], stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    return process, address


def ended(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    out, _ = process.communicate(timeout=60)
    return out


def test_one_worker_serves_and_ends_cleanly(operator: Operator, tmp_path: Path) -> None:
    process, address = start(operator, tmp_path, 1)
    try:
        assert httpx.get(f"{address}/readyz", timeout=30).status_code == 200
        answer = httpx.post(
            f"{address}/v1/match", json={"user": text(0), "kind": "app"}, headers=operator.headers("match"), timeout=30
        )
        assert answer.status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        assert ended(process).strip() == "over"
    assert process.returncode == 0


def test_two_workers_share_refusals_and_figures_and_end_with_their_parent(operator: Operator, tmp_path: Path) -> None:
    process, address = start(operator, tmp_path, 2)
    try:
        workers = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        told = {"user": text(2), "kind": "app", "item": "maps", "channel": "web", "outcome": "refused"}
        answer = httpx.post(f"{address}/v1/responses", json=told, headers=operator.headers("match"), timeout=30)
        assert answer.status_code == 201
        asked = 0

        def ask(_: int) -> tuple[str, ...]:
            body = {"user": text(2), "kind": "app"}
            items = httpx.post(f"{address}/v1/match", json=body, headers=operator.headers("match"), timeout=30).json()
            return tuple(item["id"] for item in items["items"])

        def both_know() -> bool:
            nonlocal asked
            asked += 20
            with ThreadPoolExecutor(20) as threads:
                return set(threads.map(ask, range(20))) == {("radio",)}

        assert soon(both_know)  # the other worker hears within 0.2 s
        figures = httpx.get(f"{address}/metrics", headers=operator.headers("admin"), timeout=30).text
        assert f'dumbbell_requests_total{{method="POST",route="/v1/match",status="200"}} {asked}.0' in figures
    finally:
        process.send_signal(signal.SIGTERM)
        assert ended(process).strip() == "over"
    assert process.returncode == 0
    assert soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def test_workers_do_not_outlive_a_killed_parent(operator: Operator, tmp_path: Path) -> None:
    process, address = start(operator, tmp_path, 2)
    process.kill()
    process.wait()

    def gone() -> bool:
        try:
            httpx.get(f"{address}/healthz", timeout=5)
        except httpx.HTTPError:
            return True
        return False

    assert soon(gone, 60)


def test_home_and_settings_can_be_handed_to_workers(operator: Operator) -> None:
    home, settings = pickle.loads(pickle.dumps((operator.home, operator.settings)))
    assert isinstance(home, Home)
    assert isinstance(settings, Settings)
    assert home.root == operator.home.root
