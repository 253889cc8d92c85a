"""The templates' small graph in the real server, what each template is asked there, and its answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from cypher.catalogue import find
from cypher.parameters import parse_json
from cypher.run import run
from graph.engine.server import Endpoint
from graph.store import Store
from tests.cypher.small_graph import TODAY, fill, user, users

GIVEN: dict[str, dict[str, Any]] = {
    "target_group": {"city": "Berlin", "brand": "Nova", "product": "data-x"},
    "reverse_analysis": {"users": users(1, 2, 4), "minimum": 1},
    "friends_of_app_users": {"app": "music"},
    "friends_of_holders": {"product": "data-x"},
    "two_hop_ego": {"user": user(1)},
    "community_leaders": {"community": "c1"},
    "customer_channels": {"users": users(1, 2, 4, 5)},
    "segment_channels": {"segment": "s1"},
    "shrinking_circles": {},
    "apps_together": {"handset": "Nova 1", "minimum": 1},
    "contract_ending": {},
    "upgrade_candidates": {"months": 12},
    "lookalikes": {"users": users(1, 4)},
    "cross_sell": {"holds": "data-x", "lacks": "plan-a"},
    "lapsed_holders": {"product": "data-x"},
    "near_store": {"store": "st1"},
    "tag_audience": {"tags": ["football", "cooking"]},
    "plan_use": {},
    "category_users": {"category": "travel"},
    "product_holders": {"days": 90},
    "rising_apps": {"segment": "s1", "minimum": 1},
    "apps_by_os": {"os": "NovaOS", "minimum": 1},
    "handset_switches": {"days": 180},
    "offer_funnel": {"offer": "o1"},
    "offer_responses": {"offer": "o1"},
    "channel_load": {},
    "best_channel": {"minimum": 1},
    "worn_out": {"contacts": 2},
    "leaders_without": {"product": "plan-a"},
    "communities": {"minimum": 1},
    "off_net_friends": {"city": "Berlin", "at_least": 1},
    "churned_friends": {"at_least": 1},
    "losing_communities": {"minimum": 1},
    "leaders_at_risk": {},
    "complaints": {},
    "segment_fits": {},
    "segments": {},
    "segment_portrait": {"segment": "s1"},
    "segments_for": {"kind": "category", "item": "travel"},
    "fitting_customers": {"product": "data-x"},
    "several_numbers": {},
    "keys_alone": {},
    "missing_facts": {},
    "unheld_products": {},
    "claimed_twice": {},
    "periods": {},
    "consent_overview": {},
    "at_risk": {},
    "returning_customers": {},
    "likely_handset_change": {},
    "likely_data_pack": {},
    "suppressed_demand": {},
    "fake_suspects": {},
}
"""Parameters for every template."""


def rows(store: Store, name: str, **given: Any) -> list[tuple[Any, ...]]:
    """The answer of a template, `given` in place of those of GIVEN."""
    template = find(name)
    with run(store, template, parse_json(template, GIVEN[name] | given, TODAY)) as result:
        return list(result.rows)


@pytest.fixture(scope="module")
def graph(neo4j_endpoint: Endpoint) -> Iterator[Store]:
    """The graph of `small_graph`, in the real server, for a module that leaves it as it is (and wipes nothing)."""
    with Store(neo4j_endpoint) as store:
        store.wipe(schema=True)
        fill(store)
        yield store
