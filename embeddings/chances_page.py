"""What the report page says of chances: that an app is begun, that an offer is accepted."""

from __future__ import annotations

from html import escape
from typing import Any

from embeddings.charts import CHOSEN, Point, dots
from embeddings.evaluate import K
from embeddings.tables import fact_list, figures_table, html_table, value_text, with_interval

UNSHOWN = {
    "mean": "mean of the other offers",
    "segment": "popularity in segment",
    "facts": "what is known of the offer",
}


def offers_part(offers: dict[str, Any]) -> str:
    """How well acceptance is foreseen: the models beside each other, and by tenths what was expected and what came."""
    chart = _tenths("share accepted", offers.get("reliability", []))
    rest = {key: value for key, value in offers.items() if key not in ("table", "reliability", "new")}
    return figures_table(offers.get("table", {})) + chart + fact_list(rest) + _new_offers(offers.get("new", {}))


def uptake_part(uptake: dict[str, Any]) -> str:
    """Chances that were expected of the first places of lists, and what came."""
    kinds = {"deviations": "customers with use", "shares": "customers without"}
    if not any(kind in uptake for kind in kinds):
        return "<p>Not measured: nothing was held out by time, or too few customers began to use anything.</p>"
    said = f"<p>The chance that a customer begins to use an app within {uptake['days']:,} days, of those in the first "
    said += f"{K} places, for customers from whom it was not learned:</p>"
    for kind, name in kinds.items():
        if kind in uptake:
            rest = {key: value for key, value in uptake[kind].items() if key != "reliability"}
            said += _tenths(f"{name}: share begun", uptake[kind]["reliability"]) + figures_table({name: rest})
    return said


def _tenths(title: str, parts: list[dict[str, Any]]) -> str:
    """By tenths of what was expected, that beside what came."""
    rows = [
        (
            f"tenth {i + 1} ({part['shown']:,})",
            [Point(part["expected"], None, "#6b7885", hollow=True), Point(part["accepted"], None, CHOSEN)],
        )
        for i, part in enumerate(parts)
    ]
    return dots(f"{title}: hollow expected, filled what came", rows) if rows else ""


def _new_offers(new: dict[str, Any]) -> str:
    """How well the acceptance of offers without responses is foreseen, each told from the others alone."""
    if "table" not in new:
        return f"<p>Offers without responses: {UNSHOWN[new['served']]}; too few to measure.</p>" if new else ""
    rows = [
        (
            "served" if name == new["served"] else "",
            [UNSHOWN[name], with_interval(row, "log_loss"), with_interval(row, "auc")],
        )
        for name, row in new["table"].items()
    ]
    gains = [
        ("", [escape(name), f"{gain['log_loss']:+.5f}", value_text(gain["interval"]), f"{gain['auc']:+.4f}"])
        for name, gain in new["gain"].items()
    ]
    return (
        f"<p>Offers without responses: {UNSHOWN[new['served']]}. Measured with whole offers left out "
        f"({escape(new['left_out'])}), over the {new['shown']:,} showings of {new['offers']:,} offers; offers are "
        "drawn for the intervals.</p>"
        + html_table(["expected by", "log loss", "AUC"], rows)
        + html_table(["", "log loss lower by", "95 %", "AUC higher by"], gains)
    )
