"""Names that last: who hands one on, who gets a new one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.dumbbell.names import kept_names


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], ["a", "b"]),  # nothing changed
        ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0], ["b", "a"]),  # groups come in any order
        ([0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0], ["a", "new1"]),  # of two that merge the larger one goes on
        ([0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0], ["new0", "b"]),  # half is not most: that name ends
        ([-1, -1, -1, -1, -1, -1], [0, 0, 0, 1, 1, 1], ["new0", "new1"]),  # all of them are new
    ],
)
def test_a_name_goes_where_most_of_its_members_go(before, now, expected):
    assert kept_names(np.array(before), ["a", "b"], np.array(now), ["new0", "new1"]) == expected


def test_a_name_that_is_taken_gets_a_number():
    before, now = np.array([0, 0, -1, -1]), np.array([0, 0, 1, 1])
    assert kept_names(before, ["games"], now, ["play", "games"]) == ["games", "games (2)"]
    assert kept_names(before, ["games"], now, ["play", "games"], frozenset({"games"})) == ["play", "games (2)"]


def test_no_members_no_names():
    nobody = np.zeros(0, np.int64)
    assert kept_names(nobody, [], nobody, []) == []


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_names_are_different_and_a_second_run_keeps_them_all(members):
    before, now = (np.array(column) for column in zip(*members, strict=True))
    first = kept_names(before, list("abcd"), now, list("abcd"))
    assert len(set(first)) == 4
    order = sorted(first)
    codes = np.array([order.index(first[group]) for group in now])
    again = kept_names(codes, order, now, list("abcd"))
    assert all(again[group] == first[group] for group in set(now.tolist()))
