"""Each alert fires when it should, stays silent when it should, and says what to do."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.observability.promtool import FOLDER, promtool
from tests.contract.observability.rules import Alert, alerts

ROOT = Path(__file__).parents[3]
UNIT_TESTS = Path(__file__).parent / "alerts.test.yaml"
ALERTS = alerts()
EACH = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
HEADINGS = ("## What it means", "## What to look at", "## What to do", "## When it is over")


def test_prometheus_accepts_configuration_and_rules() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", FOLDER / "alerts.yaml")
    promtool("check", "config", FOLDER / "prometheus.yaml")


def test_alerts_fire_when_they_should_and_not_where_all_is_well() -> None:
    promtool("test", "rules", UNIT_TESTS)


@EACH
def test_an_alert_is_seen_to_fire(alert: Alert) -> None:
    cases = yaml.safe_load(UNIT_TESTS.read_text())["tests"]
    fired = [each for case in cases for each in _fired(case, alert.name)]
    assert fired, f"no unit test has {alert.name} fire"


@EACH
def test_an_alert_leads_to_a_page_that_says_what_to_do(alert: Alert) -> None:
    page = (ROOT / alert.annotations["runbook_url"]).read_text()
    assert page.startswith(f"# {alert.name}\n")
    assert [line for line in page.splitlines() if line.startswith("## ")] == list(HEADINGS)
    assert alert.labels["severity"] in ("critical", "warning")


def test_the_index_has_each_page_and_no_other() -> None:
    folder = ROOT / "docs" / "runbooks"
    index = (folder / "README.md").read_text()
    pages = {Path(alert.annotations["runbook_url"]).name for alert in ALERTS}
    assert pages == {page.name for page in folder.glob("*.md")} - {"README.md"}
    for alert in ALERTS:
        name = Path(alert.annotations["runbook_url"]).name
        assert f"| [{alert.name}]({name}) | {alert.labels['severity']} |" in index


def _fired(case: dict[str, Any], name: str) -> list[Any]:
    tests = [each for each in case.get("alert_rule_test", ()) if each["alertname"] == name]
    return [alert for each in tests for alert in each["exp_alerts"]]
