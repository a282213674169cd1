"""docs/reference/metrics.md: every metric, as the source makes it.

Read, not run: some exist only where a service has a mailer, say, or sends its spans somewhere.
"""

import ast
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

KINDS = {
    "Counter": "counter",
    "Gauge": "gauge",
    "GaugeMetricFamily": "gauge",
    "Histogram": "histogram",
}
OURS = "sagaline_"
BEGIN = """\
# Metrics

<!-- Made by `make reference`; change the metrics, not this page. -->

Each service has them on `GET /metrics`, on both of its ports, in Prometheus' text format; besides
these `process_…` and `python_info`, which prometheus_client gives. A histogram has the series
`_bucket`, `_count` and `_sum`. What has a label appears when it happens for the first time; what is
looked up in the database or in Kafka, some seconds after the start.

[Alerts](../runbooks/README.md) and dashboards ask for these names, and tests hold them to it.
"""


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """One metric, as Prometheus knows it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def page(services: Iterable[str]) -> str:
    """Give the page for these packages and what they stand on."""
    rooms = {"Every service": "sagaline.chassis", "A service that runs sagas": "sagaline.engine"}
    rooms |= {name: name for name in services}
    sections = [_section(title, sorted(of(package))) for title, package in rooms.items()]
    return "\n".join([BEGIN, *(section for section in sections if section)])


def of(package: str) -> Iterator[Metric]:
    """Give the metrics that the package's modules make."""
    spec = find_spec(package)
    assert spec is not None, package
    for folder in map(Path, spec.submodule_search_locations or ()):
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text()
            if OURS in text:
                parts = path.relative_to(folder).with_suffix("").parts
                yield from _made(ast.parse(text), ".".join((package, *parts)))


def _section(title: str, metrics: list[Metric]) -> str:
    if not metrics:
        return ""
    titles = ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {title}", "", *titles, *map(_row, metrics), ""])


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |"


def _made(tree: ast.Module, module: str) -> Iterator[Metric]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name(kind), [ast.Constant(str(name)), meaning, *rest]) if (
                kind in KINDS and name.startswith(OURS)
            ):
                labels = rest or [each.value for each in node.keywords if each.arg == "labels"]
                named = tuple(ast.literal_eval(labels[0])) if labels else ()
                text = _text(meaning, importlib.import_module(module))
                yield Metric(name, KINDS[kind], named, text)


def _text(node: ast.expr, module: ModuleType) -> str:
    """Give a literal; in an f-string are constants of its module."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(_text(part, module) for part in parts)
        case ast.FormattedValue(ast.Name(name), _, spec):
            return format(getattr(module, name), _text(spec, module) if spec else "")
    raise AssertionError(ast.dump(node))
