"""Metrics have Prometheus' names, bounded labels, and a line each on their page."""

import pytest

from sagaline.cli.reference import metrics
from sagaline.cli.reference.metrics import Metric

PACKAGES = ("sagaline.chassis", "sagaline.engine", "gateway_service")
EACH = pytest.mark.parametrize(
    "metric",
    [each for package in PACKAGES for each in metrics.of(package)],
    ids=lambda metric: metric.name,
)
# Of each there are as many as the code, the catalog or the cluster has; an order's id is none.
BOUNDED = {
    *("answer", "as", "definition", "error", "from", "how", "method", "name", "outcome"),
    *("partition", "port", "reason", "route", "state", "status", "step", "topic", "version"),
}


@EACH
def test_a_metric_is_named_as_prometheus_does(metric: Metric) -> None:
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert "milli" not in metric.name
    assert not metric.name.endswith("_ms")
    if metric.kind == "histogram":
        assert metric.name.endswith(("_seconds", "_records", "_orders", "_requests"))
    assert metric.meaning.endswith("."), metric.meaning


@EACH
def test_the_labels_of_a_metric_are_bounded(metric: Metric) -> None:
    assert set(metric.labels) <= BOUNDED


def test_the_page_has_each_metric_once() -> None:
    page = metrics.page(["gateway_service", "order_service"])
    for package in PACKAGES:
        for metric in metrics.of(package):
            assert page.count(f"| `{metric.name}` |") == 1
    assert "counted, up to 10,000." in page
