"""A picture of a run: throughput, latency and lag over its seconds, below one another, as SVG.

By hand: no plotting library of reasonable weight draws three axes over one time (see ADR 22).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, GAP = 900, 130, 70, 40, 45
COLOURS = ("#1f77b4", "#d62728")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Panel:
    """One axis: a title, and lines by name."""

    title: str
    lines: Mapping[str, Sequence[float]]


def svg(document: Mapping[str, Any]) -> str:
    """Draw the document's series."""
    series: Sequence[Row] = document["series"]
    times = [float(row["at_s"]) for row in series]
    panels = _panels(series)
    whole = TOP + len(panels) * (HEIGHT + GAP)
    title = f"{document['name']}, {document['at']}"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {whole}" '
            'font-family="sans-serif" font-size="12">'
        ),
        '<rect width="100%" height="100%" fill="white"/>',
        _text(LEFT, 18, title),
    ]
    for number, panel in enumerate(panels):
        parts += _drawn(panel, times, top=TOP + number * (HEIGHT + GAP))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panels(series: Sequence[Row]) -> list[Panel]:
    lag = [sum(s["lag_records"] for s in row["services"].values()) for row in series]
    rows = [sum(s["outbox_rows"] for s in row["services"].values()) for row in series]
    return [
        Panel("orders/s", {"ended": [row["ended_per_s"] for row in series]}),
        Panel(
            "latency, ms", {name: [row[f"{name}_ms"] for row in series] for name in ("p50", "p99")}
        ),
        Panel("waiting", {"lag, records": lag, "outbox, rows": rows}),
    ]


def _drawn(panel: Panel, times: Sequence[float], *, top: float) -> list[str]:
    most = max((value for line in panel.lines.values() for value in line), default=0) or 1
    end_s, bottom = max(times[-1], 1e-3), top + HEIGHT
    parts = [
        f'<path d="M{LEFT} {top}V{bottom}H{LEFT + WIDTH}" fill="none" stroke="#888"/>',
        _text(LEFT, top - 6, panel.title),
        _text(LEFT - 6, top + 10, f"{most:,.4g}", anchor="end"),
        _text(LEFT - 6, bottom, "0", anchor="end"),
        _text(LEFT + WIDTH, bottom + 14, f"{end_s:,.0f} s", anchor="end"),
    ]
    for number, (name, values) in enumerate(panel.lines.items()):
        points = " ".join(
            f"{LEFT + WIDTH * at_s / end_s:.1f},{bottom - HEIGHT * value / most:.1f}"
            for at_s, value in zip(times, values, strict=True)
        )
        colour = COLOURS[number]
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            _text(LEFT + 110 + 110 * number, top - 6, name, fill=colour),
        ]
    return parts


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#222") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
