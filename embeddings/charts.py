"""Small charts as SVG text: bars with intervals, and dots by row. Same figures, same bytes; nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 720, 26, 190, 70, 26, 24
OURS, SIMPLE, CHOSEN, INK, GRID = "#3b6db3", "#b9c3d0", "#c77a1c", "#22303f", "#e3e8ee"


@dataclass(frozen=True)
class Point:
    """One figure with its 95 % interval, where it has one, drawn in a colour; `hollow` dots are for comparison."""

    value: float
    interval: Sequence[float] | None = None
    colour: str = OURS
    hollow: bool = False


def bars(title: str, rows: Sequence[tuple[str, Point]]) -> str:
    """Horizontal bars, one a row of (label, point), the figure written beside each.

    >>> text = bars("NDCG@20", [("popularity", Point(0.1, (0.08, 0.12))), ("<gnn>", Point(0.3))])
    >>> text.count("<rect"), "&lt;gnn&gt;" in text, text.startswith("<svg")
    (2, True, True)
    """
    scale = _Scale([p for _, p in rows])
    drawn = []
    for i, (label, point) in enumerate(rows):
        y = TOP + i * ROW
        drawn.append(_label(label, y))
        width = max(0.0, scale(point.value) - LEFT)
        drawn.append(f'<rect x="{LEFT}" y="{y + 4}" width="{width:.1f}" height="{ROW - 9}" fill="{point.colour}"/>')
        drawn.append(_whisker(point, scale, y))
        end = scale(max([point.value, *(point.interval or [])])) + 6
        drawn.append(f'<text x="{end:.1f}" y="{y + ROW / 2 + 4}" class="value">{point.value:.4g}</text>')
    return _chart(title, len(rows), scale, drawn)


def dots(title: str, rows: Sequence[tuple[str, Sequence[Point]]]) -> str:
    """Several figures a row as dots on one line, to be compared along it.

    >>> dots("by segment", [("one", [Point(0.1, hollow=True), Point(0.2, (0.1, 0.3))])]).count("<circle")
    2
    """
    scale = _Scale([p for _, points in rows for p in points])
    drawn = []
    for i, (label, points) in enumerate(rows):
        y = TOP + i * ROW
        drawn.append(_label(label, y))
        for point in points:
            fill = "#ffffff" if point.hollow else point.colour
            drawn.append(_whisker(point, scale, y))
            drawn.append(
                f'<circle cx="{scale(point.value):.1f}" cy="{y + ROW / 2}" r="5" fill="{fill}" '
                f'stroke="{point.colour}" stroke-width="2"/>'
            )
    return _chart(title, len(rows), scale, drawn)


class _Scale:
    """From figures to pixels: 0 at the left, the largest figure or end of an interval near the right."""

    def __init__(self, points: Sequence[Point]) -> None:
        most = max([end for p in points for end in (p.value, *(p.interval or ()))], default=0.0)
        self.most = most if most > 0 else 1.0
        unit = 10 ** floor(log10(self.most))
        self.step = next(unit * f for f in (0.1, 0.2, 0.5, 1, 2, 5) if self.most / (unit * f) <= 6)

    def __call__(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self.most

    def ticks(self) -> list[float]:
        return [i * self.step for i in range(int(self.most / self.step + 1e-9) + 1)]


def _label(text: str, y: float) -> str:
    shown = text if len(text) <= 28 else text[:27] + "…"
    return (
        f'<text x="{LEFT - 8}" y="{y + ROW / 2 + 4}" class="label">{escape(shown)}<title>{escape(text)}</title></text>'
    )


def _whisker(point: Point, scale: _Scale, y: float) -> str:
    if not point.interval:
        return ""
    low, high, middle = scale(point.interval[0]), scale(point.interval[1]), y + ROW / 2
    path = f"M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"
    return f'<path d="{path}" stroke="{INK}" fill="none"/>'


def _chart(title: str, rows: int, scale: _Scale, drawn: Sequence[str]) -> str:
    height = TOP + rows * ROW + BOTTOM
    grid = [
        f'<path d="M{scale(t):.1f} {TOP}V{height - BOTTOM}" stroke="{GRID}"/>'
        f'<text x="{scale(t):.1f}" y="{height - 8}" class="tick">{t:.3g}</text>'
        for t in scale.ticks()
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="Helvetica,Arial,sans-serif" font-size="12">'
        f"<style>.label{{text-anchor:end}}.tick{{text-anchor:middle;fill:#6b7885}}.head{{font-weight:bold}}</style>"
        f'<text x="0" y="14" class="head">{escape(title)}</text>' + "".join([*grid, *drawn]) + "</svg>"
    )
