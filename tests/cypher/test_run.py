"""Running and writing: the row cap, types of columns, forms of the answer, and what is refused."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cypher import output
from cypher.catalogue import Template
from cypher.header import Column, Parameter
from cypher.run import Result, run
from graph.store import Store
from lake.errors import BadValue, QueryRefused, QueryTooHeavy


def template(cypher: str, *columns: Column) -> Template:
    return Template("made", "tests", "t", "p", (), columns or (Column("n", "integer", "N."),), cypher, "")


MIXED = template(
    """UNWIND [0, 1] AS i RETURN i AS n, CASE i WHEN 0 THEN 'a "quoted", word' END AS word, 0.5 * i AS share,
    i = 1 AS yes, date('2026-05-31') AS day, datetime('2026-05-31T12:00:00+02:00') AS at, [9, 18] AS hours""",
    Column("n", "integer", "N."),
    Column("word", "text", "W."),
    Column("share", "number", "S."),
    Column("yes", "boolean", "Y."),
    Column("day", "date", "D."),
    Column("at", "moment", "A."),
    Column("hours", "list of integers", "H."),
)


def many(store: Store, n: int, max_rows: int = 10**6) -> Result:
    return run(store, template(f"UNWIND range(1, {n}) AS n RETURN n"), {}, max_rows=max_rows)


def test_forms(neo4j_store: Store) -> None:
    as_json = json.loads(b"".join(output.json(run(neo4j_store, MIXED, {}))))
    assert as_json["items"][0] == {
        "n": 0, "word": 'a "quoted", word', "share": 0.0, "yes": False, "day": "2026-05-31",
        "at": "2026-05-31T10:00:00", "hours": [9, 18],
    }  # fmt: skip
    lines = b"".join(output.json_lines(run(neo4j_store, MIXED, {}))).splitlines()
    assert [json.loads(line) for line in lines] == as_json["items"]
    assert b"".join(output.csv_lines(run(neo4j_store, MIXED, {}))).decode().split("\r\n") == [
        "n,word,share,yes,day,at,hours",
        '0,"a ""quoted"", word",0.0,false,2026-05-31,2026-05-31 10:00:00,9;18',
        "1,,0.5,true,2026-05-31,2026-05-31 10:00:00,9;18",
        "",
    ]
    table = pa.ipc.open_stream(io.BytesIO(b"".join(output.arrow(run(neo4j_store, MIXED, {}))))).read_all()
    assert table.schema.types == [
        pa.int64(), pa.string(), pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("us"), pa.list_(pa.int64()),
    ]  # fmt: skip
    assert table.equals(output.table(run(neo4j_store, MIXED, {})))


def test_nothing_in_every_form(neo4j_store: Store) -> None:
    for media_type, write in output.FORMATS.items():
        content = b"".join(write(many(neo4j_store, 0)))
        if media_type == "application/json":
            assert json.loads(content)["items"] == []
        elif media_type.startswith("application/vnd"):
            assert pa.ipc.open_stream(content).read_all().num_rows == 0
        else:
            assert content in (b"", b"n\r\n")


@pytest.mark.parametrize("suffix", list(output.SUFFIXES))
def test_files(neo4j_store: Store, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    assert output.write_file(many(neo4j_store, 2500), path) == 2500
    if suffix == ".parquet":
        assert pq.read_table(path)["n"].to_pylist() == list(range(1, 2501))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_file_that_cannot_be(neo4j_store: Store, tmp_path: Path) -> None:
    with many(neo4j_store, 1) as result, pytest.raises(BadValue, match=r"\.csv, \.json"):
        output.write_file(result, tmp_path / "out.xlsx")
    with many(neo4j_store, 1) as result, pytest.raises(BadValue, match="no folder"):
        output.write_file(result, tmp_path / "absent" / "out.csv")


def test_the_row_cap_is_said_and_a_part_never_looks_whole(neo4j_store: Store, tmp_path: Path) -> None:
    assert json.loads(b"".join(output.json(many(neo4j_store, 11, max_rows=10))))["truncated"]
    whole = json.loads(b"".join(output.json(many(neo4j_store, 10, max_rows=10))))
    assert not whole["truncated"]
    assert len(whole["items"]) == 10
    for write in (output.json_lines, output.csv_lines, output.arrow):
        with pytest.raises(QueryTooHeavy, match="more rows"):
            b"".join(write(many(neo4j_store, 11, max_rows=10)))
    with pytest.raises(QueryTooHeavy):
        output.write_file(many(neo4j_store, 11, max_rows=10), tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_rows_are_streamed_and_given_up(neo4j_store: Store) -> None:
    with many(neo4j_store, 1_000_000) as result:
        assert next(result.rows) == (1,)
    assert result.taken == 1


def test_time_is_limited(neo4j_store: Store) -> None:
    slow = template("UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a WHERE a < 0 RETURN a AS n")
    with pytest.raises(QueryTooHeavy, match="time limit"):
        list(run(neo4j_store, slow, {}, timeout_s=0.5).rows)


def test_what_writes_is_refused_before_it_runs(neo4j_store: Store) -> None:
    with pytest.raises(QueryRefused):
        run(neo4j_store, template("CREATE (a:App {app: 'x'}) RETURN 1 AS n"), {})
    with pytest.raises(QueryRefused, match="LOAD CSV"):
        run(neo4j_store, template("LOAD CSV FROM 'file:///x' AS line RETURN line AS n"), {})
    assert neo4j_store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


def test_columns_are_those_declared(neo4j_store: Store) -> None:
    with pytest.raises(QueryRefused, match=r"returns m.*declares n"):
        run(neo4j_store, template("RETURN 1 AS m"), {})
    with pytest.raises(QueryRefused, match="column n of template made holds values that are not integer"):
        output.table(run(neo4j_store, template("RETURN 'text' AS n"), {}))


def test_values_travel_as_parameters(neo4j_store: Store) -> None:
    text = "x'}) DETACH DELETE n //"
    echo = replace(
        template("RETURN $text AS n", Column("n", "text", "N.")), parameters=(Parameter("text", "text", "T."),)
    )
    assert list(run(neo4j_store, echo, {"text": text}).rows) == [(text,)]
