"""Dashboards are what their source says, and Prometheus understands what they ask."""

import json
from pathlib import Path

import pytest
import yaml

from deploy.dashboards import DASHBOARDS, FOLDER, files
from deploy.grafana import DATASOURCE, Dashboard
from tests.contract.observability.promtool import promtool

EACH = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.uid)
GRID_WIDTH = 24


def test_the_files_are_what_the_source_gives() -> None:
    written = {path: path.read_text() for path in FOLDER.glob("*.json")}
    assert written == files(), "run `make reference`"


@EACH
def test_panels_have_places_of_their_own(dashboard: Dashboard) -> None:
    panels = dashboard.document()["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(taken) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= GRID_WIDTH for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


@EACH
def test_queries_go_to_the_datasource_that_is_provisioned(dashboard: Dashboard) -> None:
    folder = FOLDER.parent / "provisioning" / "datasources"
    (source,) = yaml.safe_load((folder / "prometheus.yaml").read_text())["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == DATASOURCE
    for panel in dashboard.document()["panels"]:
        assert all(each["datasource"] == DATASOURCE for each in [panel, *panel["targets"]])


@EACH
def test_prometheus_can_read_each_query(dashboard: Dashboard, tmp_path: Path) -> None:
    queries = [query for panel in dashboard.panels for query in panel.queries.values()]
    rules = [{"record": f"panel:{n}", "expr": query} for n, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(
        json.dumps({"groups": [{"name": dashboard.uid, "rules": rules}]})
    )
    assert f"{len(queries)} rules found" in promtool("check", "rules", tmp_path / "rules.yaml")
