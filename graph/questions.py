"""Questions to customers, their answers, and what each answer says and suggests."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake

ANSWER = pa.schema([("answer", pa.string()), ("name", pa.string()), ("question", pa.string()), ("text", pa.string())])


def keys(table: pa.Table) -> pa.ChunkedArray:
    """An answer's key: its question's, a slash, and its own; a slash in the question's is written %2F, a % %25.

    >>> keys(pa.table({"question": ["moving", "a/b"], "answer": ["yes", "no"]})).to_pylist()
    ['moving/yes', 'a%2Fb/no']
    """
    question = pc.replace_substring(pc.replace_substring(table["question"], "%", "%25"), "/", "%2F")
    return pc.binary_join_element_wise(question, table["answer"], "/")


def questions(lake: Lake) -> pa.Table:
    """Every question, by its key alone."""
    if not lake.has("questions"):
        return pa.table({"question": pa.array([], pa.string())})
    return pa.table({"question": pc.unique(lake.read("questions", ["question"])["question"])}).sort_by("question")


def answers(lake: Lake) -> pa.Table:
    """Every answer: key, own name, question and wording."""
    if not lake.has("questions"):
        return ANSWER.empty_table()
    table = lake.read("questions")
    columns = [keys(table), table["answer"], table["question"], table["text"]]
    return pa.table(columns, schema=ANSWER).sort_by("answer")


def has(lake: Lake) -> pa.Table:
    """Questions and their answers."""
    table = lake.read("questions")
    return pa.table({"question": table["question"], "answer": keys(table)}).sort_by("question")


def of_answers(column: str, name: str) -> Callable[[Lake], pa.Table]:
    """Answers and what a column names, each entry of a list for itself."""

    def wanted(lake: Lake) -> pa.Table:
        table = lake.read("questions")
        found, answer = table[column].combine_chunks(), keys(table).combine_chunks()
        if pa.types.is_list(found.type):
            answer, found = answer.take(pc.list_parent_indices(found)), pc.list_flatten(found)
        pairs = pa.table({"answer": answer, name: found}).filter(pc.is_valid(found))
        return pairs.group_by(["answer", name]).aggregate([]).sort_by([("answer", "ascending"), (name, "ascending")])

    return wanted
