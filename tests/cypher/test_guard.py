"""Plans that do more than read are refused; the plans' shape is the driver's."""

import pytest

from cypher.guard import check
from lake.errors import QueryRefused


def plan(name: str, details: str = "") -> dict:
    inner = {"operatorType": f"{name}@neo4j", "arguments": {"Details": details}, "children": []}
    return {"operatorType": "ProduceResults@neo4j", "arguments": {}, "children": [inner]}


@pytest.mark.parametrize("name", ["NodeByLabelScan", "Expand(All)", "Sort", "NodeUniqueIndexSeek", "ProduceResults"])
def test_reading_passes(name: str) -> None:
    check(plan(name))


@pytest.mark.parametrize("name", ["Create", "Merge", "SetProperty", "DetachDelete", "Foreach", "ShowTransactions"])
def test_writing_is_refused(name: str) -> None:
    with pytest.raises(QueryRefused, match=name):
        check(plan(name))


def test_files_and_procedures_are_refused() -> None:
    with pytest.raises(QueryRefused, match="LOAD CSV"):
        check(plan("LoadCSV"))
    with pytest.raises(QueryRefused, match=r"procedure dbms.listConfig"):
        check(plan("ProcedureCall", "dbms.listConfig() :: (name :: STRING)"))
    check(plan("ProcedureCall", "db.labels() :: (label :: STRING)"))
