"""The dumbbell's four tables, rebuilt only when what they are made from has changed."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from graph.dumbbell.categories import learn_categories
from graph.dumbbell.channel_use import measure_channel_use
from graph.dumbbell.fits import measure_fits
from graph.dumbbell.holdings import app_use, products_held
from graph.dumbbell.population import Population
from graph.dumbbell.segments import assign_segments
from lake.clock import today
from lake.settings import Settings
from lake.tables import Lake
from lake.use import APP_USE

VERSION = 1
"""Part of the inputs' mark: raised when the same input would give other tables."""

INPUTS = (
    *APP_USE,
    "apps",
    "bills",
    "channels",
    "customers",
    "handsets",
    "products",
    "responses",
    "subscriptions",
    "touches",
    "user_handsets",
)
TABLES = ("segments", "categories", "channel_use", "fits")
MARK = b"dumbbell_inputs"


def build(lake: Lake, settings: Settings) -> bool:
    """Write `segments`, `categories`, `channel_use` and `fits` to the lake; false where they were still good.

    The mark of the inputs lies in the metadata of `fits`, which is written last, so that a killed
    run is repeated. Raises NotReady where nothing has been loaded.
    """
    day = today(settings, lake)
    mark = f"{VERSION} {day} {lake.fingerprint(INPUTS)}".encode()
    if all(lake.has(name) for name in TABLES):
        metadata = pq.read_schema(lake.files("fits")[0]).metadata or {}
        if metadata.get(MARK) == mark:
            return False
    population = Population.read(lake)
    apps = app_use(lake, population)
    products = products_held(lake, population, day)
    categories = learn_categories(lake, apps)
    segments = assign_segments(lake, population, apps, categories, day)
    channels = measure_channel_use(lake, day)
    fits = measure_fits(lake, population, apps, products, categories, segments, channels)
    lake.write("segments", pa.table({"user": population.users, "segment": segments.of_users()}))
    lake.write("categories", categories)
    lake.write("channel_use", channels)
    lake.write("fits", fits.replace_schema_metadata({MARK: mark}))
    return True
