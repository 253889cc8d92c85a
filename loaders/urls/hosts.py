"""Hosts that no rule knows, fit to be seen: none that holds an address or a number of somebody's own."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

ADDRESS = r"^[0-9.]*$|[:\[*\s]"
NUMBER = r"[0-9](?:[-_.]?[0-9]){6}"


def fit_to_be_seen(hosts: pa.Array) -> pa.Array:
    """Hosts (n,) as a list may show them, null where it may not.

    An IP address is not shown, nor what is no name. A name with a run of seven digits or more (it may be a telephone
    number, or the address of somebody's line) becomes the wildcard of what follows, where that is more than one label.

    >>> hosts = ["a.example", "10.0.0.1", "49-151-1234567.dyn.isp.example", "4915112345678.example"]
    >>> fit_to_be_seen(pa.array(hosts)).to_pylist()
    ['a.example', None, '*.dyn.isp.example', None]
    """
    numbered = pc.match_substring_regex(hosts, NUMBER)
    rest = pc.replace_substring_regex(hosts, rf"^.*{NUMBER}[^.]*\.?", "")
    below = pc.binary_join_element_wise("*.", rest, "")
    below = pc.if_else(pc.match_substring(rest, "."), below, pa.scalar(None, pa.string()))
    shown = pc.if_else(numbered, below, hosts)
    return pc.if_else(pc.match_substring_regex(hosts, ADDRESS), pa.scalar(None, pa.string()), shown)
