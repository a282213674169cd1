"""Grafana's dashboards, as JSON that it is provisioned with: panels in rows of three.

`python -m deploy.dashboards` writes them; what they show stands there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

SCHEMA_VERSION: Final = 41  # of Grafana 12
DATASOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
COLUMNS, GRID_WIDTH, HEIGHT = 3, 24, 8


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over time: queries by their legends, `{{label}}` in one stands for its value.

    `unit` is Grafana's: s, ops, reqps, percentunit, bytes, short.
    """

    title: str
    unit: str
    queries: Mapping[str, str]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page; `uid` is in its address and names its file."""

    uid: str
    title: str
    panels: Sequence[Panel]

    def document(self) -> Json:
        """What Grafana reads."""
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["sagaline"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "refresh": "10s",
            "time": {"from": "now-30m", "to": "now"},
            "timezone": "utc",
            "panels": [_panel(number, each) for number, each in enumerate(self.panels)],
        }


def _panel(number: int, panel: Panel) -> Json:
    row, column = divmod(number, COLUMNS)
    width = GRID_WIDTH // COLUMNS
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": {"x": column * width, "y": row * HEIGHT, "w": width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": query,
                "legendFormat": legend,
            }
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }
