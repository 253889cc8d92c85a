"""Which rule holds for an address, against rules tried one by one."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.urls.addresses import tidy
from loaders.urls.match import match
from loaders.urls.rules import compile_rules


def translate(patterns: list[str], addresses: list[str]) -> list[str | None]:
    """What each address stands for, the app of each rule being its pattern."""
    nothing = [None] * len(patterns)
    rules = compile_rules(
        pa.table({"pattern": pa.array(patterns, pa.string()), "app": patterns, "tag": nothing, "content": nothing})
    )
    meaning, hosts = match(rules, tidy(pa.array(addresses, pa.string())))
    assert [host is None for host in hosts.to_pylist()] == (meaning >= 0).tolist()
    return [rules.meanings["app"][m].as_py() if m >= 0 else None for m in meaning.tolist()]


def parts(address: str) -> tuple[str, str]:
    bare = re.split("[?#]", address.split("://", 1)[-1], maxsplit=1)[0]
    host, slash, path = bare.partition("/")
    host = re.sub(r":\d*$", "", host.rsplit("@", 1)[-1].lower()).rstrip(".")
    return host, (slash + path).rstrip("/")


def one_by_one(patterns: list[str], address: str) -> str | None:
    """The plain reading of the rules: all that hold, best first."""
    host, path = parts(address)
    best: tuple[int, int, int, str] | None = None
    for pattern in sorted(patterns, reverse=True):  # of those that mean the same, the first is met last
        wanted, prefix = parts(pattern)
        if wanted.startswith("*."):
            holds = host.endswith(wanted[1:]) and len(host) > len(wanted) - 1
            exact, size = 0, len(wanted)
        else:
            holds, exact, size = host == wanted, 1, 0
        if holds and (path + "/").startswith(prefix + "/") and (best is None or (exact, size, len(prefix)) >= best[:3]):
            best = exact, size, len(prefix), pattern
    return None if best is None else best[3]


@pytest.mark.parametrize(
    ("patterns", "address", "wanted"),
    [
        (["a.example"], "a.example", "a.example"),
        (["a.example"], "b.example", None),
        (["A.Example"], "https://me@a.EXAMPLE.:8443/x?q=1", "A.Example"),
        (["http://a.example:80/"], "a.example", "http://a.example:80/"),
        (["*.a.example"], "x.y.a.example", "*.a.example"),
        (["*.a.example"], "a.example", None),
        (["*.a.example"], "ba.example", None),
        (["*.a.example", "x.a.example"], "x.a.example/deep", "x.a.example"),
        (["*.a.example", "*.x.a.example", "*.example"], "y.x.a.example", "*.x.a.example"),
        (["a.example", "a.example/p", "a.example/p/q"], "a.example/p/q/r", "a.example/p/q"),
        (["a.example", "a.example/p", "a.example/p/q"], "a.example/p/qr", "a.example/p"),
        (["a.example", "a.example/p"], "a.example/P", "a.example"),
        (["a.example/p/"], "a.example/p", "a.example/p/"),
        (["a.example/p"], "a.example/pq", None),
        (["x.a.example/only", "*.a.example"], "x.a.example/else", "*.a.example"),
        (["x.a.example", "*.a.example/long/path"], "x.a.example/long/path", "x.a.example"),
        (["*.a.example/p", "*.example"], "x.a.example/q", "*.example"),
        (["b.example", "B.example"], "b.example", "B.example"),
        (["[::1]"], "[::1]:80/x", "[::1]"),
        (["a.example/é"], "a.example/é/x", "a.example/é"),
        ([], "a.example", None),
        (["a.example"], "", None),
    ],
)
def test_the_rule_that_holds(patterns: list[str], address: str, wanted: str | None) -> None:
    assert translate(patterns, [address]) == [wanted]
    if address:
        assert one_by_one(patterns, address) == wanted


def test_of_an_address_without_a_rule_the_host_is_told() -> None:
    none = pa.table({name: pa.array([], pa.string()) for name in ("pattern", "app", "tag", "content")})
    meaning, hosts = match(compile_rules(none), pa.array(["a.example.:80/x", "b.example"]))
    assert meaning.tolist() == [-1, -1]
    assert hosts.to_pylist() == ["a.example", "b.example"]


LABELS = st.lists(st.sampled_from(["a", "b", "aa"]), min_size=1, max_size=4).map(".".join)
PATHS = st.lists(st.sampled_from(["p", "pp", "q", ""]), max_size=3).map(lambda s: "".join(f"/{x}" for x in s))
ADDRESSES = st.tuples(LABELS, st.sampled_from(["", "", ":80", ".", ".:1"]), PATHS).map("".join)
PATTERNS = st.tuples(st.sampled_from(["", "*.", "http://"]), ADDRESSES).map("".join)


@given(st.lists(PATTERNS, max_size=12, unique=True), st.lists(ADDRESSES, max_size=12))
def test_the_same_as_trying_every_rule(patterns: list[str], addresses: list[str]) -> None:
    assert translate(patterns, addresses) == [one_by_one(patterns, address) for address in addresses]
