"""Event feeds: skipped while in force, a month's part replaces the month, any other file adds."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from loaders.inventory import FileRecord, holds, settle

HEAD = "number,channel,at\n"
MAY, JUNE = "2026-05-10T10:00:00Z", "2026-06-10T10:00:00Z"


def touches(*rows: tuple[int, str]) -> str:
    return HEAD + "".join(f"{number},sms,{at}\n" for number, at in rows)


def who(bench, month: str | None = None) -> list[str]:
    return [user for user, m in bench.rows("touches", "user", "day") if month in (None, m.isoformat()[:7])]


def test_the_same_folder_twice_changes_no_byte(bench) -> None:
    files = {
        "touches/2026-05.csv": touches((1, MAY), (9, JUNE)),
        "touches/x.csv": touches((2, MAY), (3, JUNE)),
        "touches/0.csv": touches((4, MAY)),
        "users.csv": "number,city\n1,Bonn\n1,Ulm\nx,Ulm\n",
    }
    first = bench.load(files)
    before = bench.state()
    kept = {p.name: p.read_bytes() for p in bench.home.quarantine.iterdir()}
    again = bench.load(files)
    assert bench.state() == before
    assert {p.name: p.read_bytes() for p in bench.home.quarantine.iterdir()} == kept
    assert not again.changed
    for feed, counts in again.feeds.items():
        assert counts.taken == 0
        assert counts.read == first.feeds[feed].read == counts.repeated + counts.quarantined
    assert again.quarantined == first.quarantined


def test_a_month_part_replaces_the_month_whatever_it_came_from(bench) -> None:
    bench.load({"touches.csv": touches((1, MAY), (2, JUNE))})
    report = bench.load({"touches/2026-05.csv": touches((3, MAY), (4, JUNE))})
    assert (who(bench, "2026-05"), who(bench, "2026-06")) == (["3"], ["2"])
    reason = "is in another month than the file is named for"
    assert bench.quarantine("touches") == [("touches/2026-05.csv", 3, "at", reason)]
    assert (report.feeds["touches"].taken, report.feeds["touches"].quarantined) == (1, 1)


def test_a_month_handed_in_again_corrected_replaces_itself(bench) -> None:
    bench.load({"touches/2026-05.csv": touches((1, MAY)), "touches/2026-06.csv": touches((2, JUNE))})
    june = {name: facts for name, facts in bench.state().items() if "2026-06" in name}
    bench.load({"touches/2026-05.csv": touches((1, MAY), (3, MAY))})
    assert who(bench) == ["1", "2", "3"]
    assert {name: facts for name, facts in bench.state().items() if "2026-06" in name} == june


def test_a_month_that_comes_empty_is_empty(bench) -> None:
    bench.load({"touches.csv": touches((1, MAY), (2, JUNE))})
    bench.load({"touches/2026-05.csv": HEAD})
    assert who(bench) == ["2"]
    assert bench.rows("customers", "user") == [("2",)]


def test_any_other_file_adds_and_is_skipped_while_in_force(bench) -> None:
    bench.load({"touches.csv": touches((1, MAY))})
    bench.load({"touches/more.csv": touches((1, MAY), (2, MAY))})
    assert who(bench) == ["1", "1", "2"]
    counts = bench.load({"touches/renamed.csv": touches((1, MAY))}).feeds["touches"]
    assert who(bench) == ["1", "1", "2"]
    assert (counts.taken, counts.repeated) == (0, 1)


def test_a_file_that_was_replaced_adds_again(bench) -> None:
    one = touches((1, MAY), (2, JUNE))
    bench.load({"touches.csv": one})
    bench.load({"touches/2026-05.csv": touches((3, MAY))})
    counts = bench.load({"touches.csv": one}).feeds["touches"]
    assert (who(bench, "2026-05"), who(bench, "2026-06")) == (["1", "3"], ["2"])
    assert (counts.taken, counts.repeated) == (1, 1)


def test_the_same_bytes_twice_in_a_folder_count_once(bench) -> None:
    counts = bench.load({"touches/a.csv": touches((1, MAY)), "touches/b.csv": touches((1, MAY))}).feeds["touches"]
    assert (counts.read, counts.taken, counts.repeated) == (2, 1, 1)
    assert who(bench) == ["1"]


def test_a_part_named_for_no_month_is_any_other_file(bench) -> None:
    bench.load({"touches.csv": touches((1, MAY))})
    bench.load({"touches/2026-13.csv": touches((2, MAY))})
    assert who(bench) == ["1", "2"]


def test_a_file_of_the_feed_itself_is_never_named_for_a_month(bench) -> None:
    """Only parts in a feed's folder are: `touches.csv` beside nothing adds, month after month."""
    for number in (1, 2):
        bench.load({"touches.csv": touches((number, MAY))})
    assert who(bench) == ["1", "2"]


MONTHS = ("2026-04", "2026-05")
HANDED = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, *MONTHS])), max_size=8)


@given(HANDED)
def test_what_is_in_force_equals_the_rule_played_row_by_row(handed: list[tuple[str, str | None]]) -> None:
    months = {"a": {"2026-04": 1}, "b": {"2026-04": 1, "2026-05": 1}, "c": {"2026-05": 1}}
    rows: list[tuple[str, str]] = []  # (month, file)
    for name, named in handed:
        own = [(m, name) for m in months[name]]
        if named is None:
            rows += [row for row in own if row not in rows]
        else:
            rows = [row for row in rows if row[0] != named] + [row for row in own if row[0] == named]
    found = settle({}, [(name, FileRecord(name, months=months[name]), named) for name, named in handed])
    assert sorted((m, d) for m, digests in found.items() for d in digests) == sorted(rows)
    assert settle(found, []) == found


def test_a_file_is_in_force_while_all_its_months_are() -> None:
    record = FileRecord("x", months={"2026-04": 1, "2026-05": 1})
    assert holds({"2026-04": ["x"], "2026-05": ["y", "x"]}, "x", record, None)
    assert not holds({"2026-04": ["x"]}, "x", record, None)
    assert not holds({}, "x", None, None)
    assert holds({"2026-05": ["x"]}, "x", record, "2026-05")
    assert not holds({"2026-05": ["x", "y"]}, "x", record, "2026-05")


def test_a_response_that_the_graph_has_already_is_repeated(bench) -> None:
    rows = "number,offer,channel,at,outcome,decision\n" + "".join(
        f"{number},o,sms,{MAY},refused,{decision}\n" for number, decision in ((1, "d1"), (1, "d2"), (2, "d1"), (1, ""))
    )
    key = bench.home.pseudonyms().of_numbers(pa.array(["1", "2"]))
    bench.lake.write(
        "answers", pa.table({"user": key, "offer": ["o", None], "decision": ["d1", "d1"], "outcome": ["accepted"] * 2})
    )
    counts = bench.load({"responses.csv": rows}).feeds["responses"]
    assert (counts.read, counts.taken, counts.repeated) == (4, 3, 1)
    assert bench.rows("responses", "user", "decision") == [("1", "d2"), ("1", None), ("2", "d1")]
