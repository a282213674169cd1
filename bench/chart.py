"""A chart of a run: throughput, latency and lag over its time, one below the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import pygal
from pygal.style import CleanStyle

WIDTH, HEIGHT = 900, 240
PANELS: Mapping[str, Mapping[str, str]] = {
    "orders a second": {"completed": "orders_per_s"},
    "latency, ms": {"p50": "p50_ms", "p99": "p99_ms"},
    "waiting, records": {"consumer lag": "lag_records", "outbox": "outbox_rows"},
}


def chart(result: Mapping[str, Any]) -> str:
    """One SVG document; the panels share the time, in seconds since the load began."""
    panels = [
        _panel(f"{result['row']}: {title}", lines, result["course"], at=index)
        for index, (title, lines) in enumerate(PANELS.items())
    ]
    size = f'width="{WIDTH}" height="{HEIGHT * len(panels)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n' + "\n".join(panels) + "\n</svg>\n"


def _panel(
    title: str, lines: Mapping[str, str], course: Sequence[Mapping[str, float]], *, at: int
) -> str:
    plot = pygal.XY(
        title=title,
        width=WIDTH,
        height=HEIGHT,
        style=CleanStyle,
        dots_size=1,
        js=[],  # a picture, not a page that asks the network for a script
        include_x_axis=True,
        explicit_size=True,
        disable_xml_declaration=True,
        no_prefix=False,
    )
    for name, field in lines.items():
        plot.add(name, [(moment["at_s"], moment[field]) for moment in course])
    drawn: str = plot.render(is_unicode=True)
    return drawn.replace("<svg ", f'<svg y="{at * HEIGHT}" ', 1)
