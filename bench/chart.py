"""A chart of a run: throughput, latency and what waited, one panel below the other, as SVG."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 220, 60, 30, 30
COLOURS: Final = ("#1f6feb", "#d1242f")
PANELS: Final[Mapping[str, Mapping[str, str]]] = {
    "orders a second": {"completed": "orders_per_s"},
    "latency, ms": {"p50": "p50_ms", "p99": "p99_ms"},
    "waiting, records": {"consumer lag": "lag_records", "outbox": "outbox_rows"},
}


def chart(result: Mapping[str, Any]) -> str:
    """One SVG document; the panels share the time, in seconds since the load began."""
    course = result["course"]
    panels = [
        f'<g transform="translate(0 {HEIGHT * index})">{_panel(title, lines, course)}</g>'
        for index, (title, lines) in enumerate(PANELS.items())
    ]
    head = f"{result['row']}, {result['at']}, {str(result['revision'])[:8]}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT * len(PANELS)}"'
        f' font-family="sans-serif" font-size="12"><title>{escape(head)}</title>\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(panels) + "\n</svg>\n"
    )


def _panel(title: str, lines: Mapping[str, str], course: Sequence[Mapping[str, float]]) -> str:
    longest = max((moment["at_s"] for moment in course), default=0) or 1
    most = max((moment[field] for moment in course for field in lines.values()), default=0) or 1
    drawn = [_text(LEFT, TOP - 10, title), _axes(longest, most)]
    for index, (name, field) in enumerate(lines.items()):
        points = [(_x(moment["at_s"] / longest), _y(moment[field] / most)) for moment in course]
        drawn.append(_line(points, COLOURS[index]))
        drawn.append(_text(WIDTH - 220 + 110 * index, TOP - 10, name, COLOURS[index]))
    return "".join(drawn)


def _axes(longest: float, most: float) -> str:
    corners = [(_x(0), _y(1)), (_x(0), _y(0)), (_x(1), _y(0))]
    return (
        _line(corners, "#888")
        + _text(4, _y(1) + 4, f"{most:,.0f}")
        + _text(4, _y(0), "0")
        + _text(_x(1) - 40, _y(0) + 18, f"{longest:.0f} s")
    )


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - 20)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, colour: str = "#333") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}">{escape(text)}</text>'
