"""Front matter: what parses, and that every mistake is refused in words."""

import datetime as dt

import pytest

from cypher.header import HeaderError, parse

GOOD = """\
// name: a_template
// title: A title
// purpose: A purpose that
//   goes on.
//
// parameter city: text. The city.
// parameter limit: integer = 10 (1 to 100). At most so many.
// parameter share: number = 0.5. A share.
// parameter order: text = "arpu" (arpu, city). What to order by.
// parameter today: date = today. The day.
// parameter since: date = 2026-01-31. Another day.
// parameter users: list of users = []. Some.
// column user: user. The customer.
// column hours: list of integers. Hours.
RETURN 1
"""


def test_front_matter_parses() -> None:
    header, query = parse(GOOD)
    assert (header.name, header.title, header.purpose) == ("a_template", "A title", "A purpose that goes on.")
    assert query == "RETURN 1\n"
    by_name = {p.name: p for p in header.parameters}
    assert by_name["city"].required
    assert by_name["limit"].default == 10
    assert (by_name["limit"].lowest, by_name["limit"].highest) == (1, 100)
    assert by_name["share"].default == 0.5
    assert by_name["order"].values == ("arpu", "city")
    assert by_name["today"].default == "today"
    assert by_name["since"].default == dt.date(2026, 1, 31)
    assert by_name["users"].default == []
    assert [(c.name, c.type) for c in header.columns] == [("user", "user"), ("hours", "list of integers")]


@pytest.mark.parametrize(
    ("line", "replaced", "words"),
    [
        ("// title: A title", "// titel: A title", "unknown header key 'titel'"),
        ("// title: A title", "// title A title", "is not `// key: value`"),
        ("// title: A title", "// name: a_template", "name name is given twice"),
        ("// title: A title", "", "is not"),
        ("// name: a_template", "// name: A-Template", "lower-case"),
        ("// parameter city: text. The city.", "// parameter city: string. The city.", "parameter city is not"),
        ("integer = 10 (1 to 100)", "integer = 1000 (1 to 100)", "parameter limit has a default"),
        ("integer = 10 (1 to 100)", 'integer = "ten"', "parameter limit has a default"),
        ('"arpu" (arpu, city)', '"star" (arpu, city)', "parameter order has a default"),
        ("// column user: user. The customer.", "// column user: user = 1. The customer.", "column user is not"),
        ("// column hours: list of integers. Hours.", "// column user: user. Again.", "column user is given twice"),
    ],
)
def test_mistakes_are_refused(line: str, replaced: str, words: str) -> None:
    text = GOOD.replace(line, replaced)
    if not replaced:
        text = text.replace("\n\n", "\n")
        words = "the header has no title"
    with pytest.raises(HeaderError, match=words):
        parse(text)


def test_columns_are_needed() -> None:
    with pytest.raises(HeaderError, match="no column"):
        parse("// name: a\n// title: b\n// purpose: c\nRETURN 1")
