"""`rules`: who may be shown what, as it is set."""

from __future__ import annotations

from typing import Any

import typer

from dumbbell.command import Answer, Call, command, table_of
from lake.tables import Lake
from matching.bars import load_rules
from matching.parameters import Always, OwnRule
from matching.rules import Ruled


def register(app: typer.Typer) -> None:
    command(app, "rules", example="dumbbell rules")(rules)


def rules(call: Call) -> Answer:
    """List the rules of who may be shown what: state, parameters, and the reason each gives.

    Those of the settings are checked, every name in them too where there is a home to look it up in.
    """
    set_ = load_rules(call.settings.rules, Lake(call.settings.home / "lake"))
    items = [_facts(rule) for rule in set_]
    shown = [
        [item["name"], item["state"], ", ".join(item["kinds"]), _text(item["parameters"]), item["reason"]]
        for item in items
    ]
    return Answer(
        {"rules": items},
        tables=[
            table_of("Rules, in the order in which they run", ["rule", "state", "for", "parameters", "reason"], shown)
        ],
        lines=[f"{sum(rule.in_force for rule in set_)} of {len(set_)} rules are in force"],
    )


def _facts(rule: Ruled) -> dict[str, Any]:
    state = "on" if rule.in_force else "off"
    return {
        "name": rule.name,
        "state": "always on" if isinstance(rule.settings, Always) else state,
        "own": isinstance(rule.settings, OwnRule),
        "kinds": list(rule.kinds),
        "parameters": rule.parameters,
        "reason": rule.reason,
    }


def _text(parameters: dict[str, Any]) -> str:
    """Parameters on one line, as dumbbell.toml has them.

    >>> _text({"months": 2, "product_kinds": ["plan", "service"], "tiers": [{"arpu_from": 5.0, "fee_to": 10.0}]})
    'months = 2; product_kinds = plan, service; tiers = arpu_from 5 fee_to 10'
    """

    def plain(value: Any) -> str:
        if isinstance(value, dict):
            return " ".join(f"{name} {plain(part)}" for name, part in value.items())
        if isinstance(value, list):
            return ", ".join(plain(part) for part in value)
        return f"{value:g}" if isinstance(value, float) else str(value)

    return "; ".join(f"{name} = {plain(value)}" for name, value in parameters.items())
