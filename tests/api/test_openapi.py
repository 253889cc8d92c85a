"""schemathesis asks every route what its OpenAPI allows and what it does not: only documented answers come back.

A server's error is never one of them, but for the documented 503. A few examples a route, the same ones every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from api.app import create_app
from tests.api.conftest import Operator, text

EXAMPLES = 10
FEW = settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


THERE = {"user": text(0), "name": "shrinking_circles", "app": "maps", "item": "maps", "channel": "sms"}
"""What is in the graph, to be asked for beside what schemathesis thinks of."""


@pytest.fixture(scope="module")
def app(operator: Operator) -> Any:
    return create_app(operator.home, operator.settings, operator.store)


@pytest.fixture(scope="module")
def session(app: Any) -> Iterator[Any]:
    with asgi.get_client(app) as client:
        yield client


def asking(app: Any, session: Any, headers: dict[str, str], statuses: set[int]) -> Callable[[Any], None]:
    """Sends one case of schemathesis and looks at the answer."""

    def ask(case: Any) -> None:
        case.operation.app = app
        for known in (False, True):
            if known:
                case.path_parameters.update({name: THERE[name] for name in case.path_parameters if name in THERE})
                if isinstance(case.body, dict) and "user" in case.body:
                    kept = {name: value for name, value in case.body.items() if name not in ("number", "users")}
                    case.body = kept | {name: THERE[name] for name in kept if name in THERE}
            answer = case.call(base_url="http://testserver", session=session, headers=headers)
            statuses.add(answer.status_code)
            assert answer.status_code < 500 or answer.status_code == 503
            case.validate_response(answer, checks=[status_code_conformance, content_type_conformance])

    return ask


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_only_what_is_documented(mode: GenerationMode, app: Any, session: Any, operator: Operator) -> None:
    load_all_checks()
    schema = schemathesis.openapi.from_dict(app.openapi())
    headers, seen = operator.headers("admin"), dict[str, set[int]]()
    for result in schema.get_all_operations():
        operation = result.ok()

        statuses = seen.setdefault(operation.label, set())
        with suppress(Unsatisfiable):  # nothing can be wrong in a request without parameters
            FEW(given(case=operation.as_strategy(generation_mode=mode))(asking(app, session, headers, statuses)))()
    assert len(seen) >= 12
    if mode is GenerationMode.POSITIVE:
        for route in (
            "POST /v1/match",
            "POST /v1/templates/{name}",
            "GET /v1/users/{user}",
            "GET /v1/influence/leaders",
        ):
            assert 200 in seen[route], seen
    else:
        assert 422 in seen["POST /v1/match"]
