"""The dumbbell's five tables, rebuilt only when what they are made from has changed."""

from __future__ import annotations

import pyarrow.parquet as pq

from graph.dumbbell.categories import learn_categories
from graph.dumbbell.channel_use import measure_channel_use
from graph.dumbbell.fits import measure_fits
from graph.dumbbell.holdings import app_use, products_held
from graph.dumbbell.population import Population
from graph.dumbbell.profiles import profile
from graph.dumbbell.segments import assign_segments
from lake.clock import today
from lake.publish import publish, stage
from lake.settings import Settings
from lake.tables import Lake, put
from lake.use import APP_USE

VERSION = 2
"""Part of the inputs' mark: raised when the same input would give other tables."""

INPUTS = (
    *APP_USE,
    "apps",
    "bills",
    "channels",
    "customers",
    "handsets",
    "offers",
    "products",
    "responses",
    "subscriptions",
    "touches",
    "user_handsets",
)
TABLES = ("segments", "segment_profiles", "categories", "channel_use", "fits")
MARK = b"dumbbell_inputs"


def build(lake: Lake, settings: Settings) -> bool:
    """Write the tables `TABLES` to the lake; false where they were still good.

    The tables appear together, as the next run starts from the names in them; the mark of the inputs lies in the
    metadata of `fits`. To be called by the one who holds the home. Raises NotReady where nothing has been loaded.
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
    fits = measure_fits(lake, population, apps, products, categories, segments, channels, day)
    tables = {
        "segments": segments.table(population),
        "segment_profiles": profile(lake, population, segments, fits, day),
        "categories": categories,
        "channel_use": channels,
        "fits": fits.replace_schema_metadata({MARK: mark}),
    }
    home = lake.root.parent
    staging = stage(home)
    for name, table in tables.items():
        put(staging / lake.root.name / f"{name}.parquet", table)
    publish(home, staging)
    return True
