"""A home with a server of its own, beside the small operator's lake."""

from __future__ import annotations

import pytest

from lake.home import Home
from lake.settings import Settings


@pytest.fixture
def own(settings: Settings) -> Settings:
    """Settings that name no server, whatever the environment says."""
    return settings.model_copy(update={"neo4j_uri": ""})


@pytest.fixture
def home(own: Settings) -> Home:
    """To be asked for before anything is written into its lake."""
    return Home.open(own, create=True)
