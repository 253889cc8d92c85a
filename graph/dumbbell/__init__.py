"""The dumbbell: users gather in segments, apps and products in categories, `FITS` is the bar between them.

`build` reads the feeds' lake tables and writes five tables to the lake:

segments      user, segment, name, …                                   every on-net customer once
segment_profiles  segment, name, size, median_age, mean_arpu, top_…    what sets it apart
categories    item_kind (app, product), item, category                 items without one are absent
fits          segment, item_kind (category, app, product), item, score, lift, channel
channel_use   user, channel, touches, hours, last_at, rank             the last three months
"""

from graph.dumbbell.build import build

__all__ = ["build"]
