"""The alerts as they stand in the file that Prometheus reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.contract.observability.promtool import FOLDER


@dataclass(frozen=True)
class Alert:
    """One rule."""

    name: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def alerts() -> list[Alert]:
    """All of them, in the file's order."""
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    return [_alert(rule) for group in document["groups"] for rule in group["rules"]]


def _alert(rule: Mapping[str, Any]) -> Alert:
    return Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"])
