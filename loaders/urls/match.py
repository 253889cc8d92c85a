"""Addresses to the rules that hold for them: a look-up for each label of the host, a search for each path segment.

Nothing grows with the number of rules but the logarithm in the search among a host's own paths.
"""

from __future__ import annotations

import numba
import numpy as np
import pyarrow as pa

from loaders.numbers import text_buffers
from loaders.urls.rules import PRIME, SEED, Rules

DOT, SLASH, COLON = ord("."), ord("/"), ord(":")


def match(rules: Rules, addresses: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """What tidied addresses (n,) stand for: rows of `rules.meanings`, int32, -1 where no rule holds; and their hosts.

    Hosts (n,) are text without port and last dot, null where a rule holds.
    """
    data, offsets = text_buffers(addresses)
    meaning, ends = _match(
        data, offsets, *rules.hosts, rules.slots, rules.starts, *rules.paths, rules.longest, rules.meaning
    )
    unknown = meaning < 0
    lengths = np.where(unknown, ends - offsets[:-1], 0).astype(np.int32)
    places = np.append(np.int32(0), np.cumsum(lengths, dtype=np.int32))
    hosts = pa.StringArray.from_buffers(
        len(meaning), pa.py_buffer(places), pa.py_buffer(_cut(data, offsets, places)), _bits(unknown)
    )
    return meaning, hosts


def _bits(mask: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


@numba.njit(cache=True, nogil=True)
def _cut(data: np.ndarray, offsets: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The first bytes of each text, `places` (n + 1,) being the offsets of the result."""
    out = np.empty(places[-1], np.uint8)
    for text in range(len(places) - 1):
        begin = offsets[text]
        for at in range(places[text], places[text + 1]):
            out[at] = data[begin + at - places[text]]
    return out


@numba.njit(cache=True, nogil=True)
def _match(
    data: np.ndarray,
    offsets: np.ndarray,
    host_data: np.ndarray,
    host_offsets: np.ndarray,
    slots: np.ndarray,
    starts: np.ndarray,
    path_data: np.ndarray,
    path_offsets: np.ndarray,
    longest: np.ndarray,
    meaning: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    n = len(offsets) - 1
    found, ends = np.full(n, -1, np.int32), np.empty(n, np.int64)
    for i in range(n):
        begin, end = offsets[i], offsets[i + 1]
        slash = begin
        while slash < end and data[slash] != SLASH:
            slash += 1
        host_end = _host_end(data, begin, slash)
        ends[i] = host_end
        while end > slash and data[end - 1] == SLASH:
            end -= 1
        best = -1
        hashed = SEED
        for at in range(host_end - 1, begin - 1, -1):
            if data[at] == DOT and at > begin:  # the hosts below what follows; the longest is met last
                host = _host(data, at + 1, host_end, hashed, host_data, host_offsets, slots)
                if host >= 0:
                    rule = _path(data, slash, end, 2 * host + 1, starts, path_data, path_offsets, longest)
                    best = rule if rule >= 0 else best
            hashed = (hashed ^ np.uint64(data[at])) * PRIME
        host = _host(data, begin, host_end, hashed, host_data, host_offsets, slots)
        if host >= 0:
            rule = _path(data, slash, end, 2 * host, starts, path_data, path_offsets, longest)
            best = rule if rule >= 0 else best
        if best >= 0:
            found[i] = meaning[best]
    return found, ends


@numba.njit(cache=True, nogil=True)
def _host_end(data: np.ndarray, begin: int, end: int) -> int:
    """Where a host ends: before a port, and before dots that end it."""
    at = end
    while at > begin and 48 <= data[at - 1] <= 57:
        at -= 1
    if at > begin and data[at - 1] == COLON:
        end = at - 1
    while end > begin and data[end - 1] == DOT:
        end -= 1
    return end


@numba.njit(cache=True, nogil=True)
def _host(
    data: np.ndarray, begin: int, end: int, hashed: np.uint64, hosts: np.ndarray, offsets: np.ndarray, slots: np.ndarray
) -> int:
    """The host of that text and hash, or -1."""
    slot = np.int64(hashed & np.uint64(len(slots) - 1))
    while slots[slot] >= 0:
        host = slots[slot]
        if _compare(data, begin, end, hosts, offsets[host], offsets[host + 1]) == 0:
            return host
        slot = (slot + 1) & (len(slots) - 1)
    return -1


@numba.njit(cache=True, nogil=True)
def _path(
    data: np.ndarray,
    begin: int,
    end: int,
    group: int,
    starts: np.ndarray,
    paths: np.ndarray,
    offsets: np.ndarray,
    longest: np.ndarray,
) -> int:
    """The rule of a group whose path is the most segments of the text, or -1."""
    while True:
        if end - begin <= longest[group]:
            low, high = starts[group], starts[group + 1]
            while low < high:
                middle = (low + high) // 2
                order = _compare(data, begin, end, paths, offsets[middle], offsets[middle + 1])
                if order == 0:
                    return middle
                if order < 0:
                    high = middle
                else:
                    low = middle + 1
        if end <= begin:
            return -1
        end -= 1
        while data[end] != SLASH:
            end -= 1


@numba.njit(cache=True, nogil=True)
def _compare(one: np.ndarray, begin: int, end: int, other: np.ndarray, low: int, high: int) -> int:
    """Below 0, 0 or above, as one text sorts before, with or after the other."""
    for at in range(min(end - begin, high - low)):
        if one[begin + at] != other[low + at]:
            return int(one[begin + at]) - int(other[low + at])
    return (end - begin) - (high - low)
