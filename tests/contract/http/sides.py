"""The services' OpenAPI documents, of both sides, as the applications themselves give them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from fastapi import FastAPI

from sagaline.chassis.service import Service
from sagaline.local.platform_config import PlatformConfig

Json: TypeAlias = Mapping[str, Any]
CHECKOUT: Final = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Side:
    """What one service answers everybody, or its operators."""

    service: str
    operators: bool
    app: FastAPI

    @property
    def name(self) -> str:
        return f"{self.service}_operators" if self.operators else self.service

    @property
    def document(self) -> Json:
        return self.app.openapi()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    side: Side
    method: str
    path: str
    said: Json

    @property
    def name(self) -> str:
        return f"{self.side.name}: {self.method.upper()} {self.path}"


@cache  # each worker asks for them in four files, and an application takes 0.1 s to put together
def sides() -> Sequence[Side]:
    """Of all services of the platform."""
    return [side for each in PlatformConfig.find(CHECKOUT).services for side in _both(each.name)]


def _both(name: str) -> Iterator[Side]:
    service: Service = import_module(f"{name}.service").service()
    yield Side(name, operators=False, app=service.application())
    yield Side(name, operators=True, app=service.operator_application())


def operations(side: Side) -> Iterator[Operation]:
    for path, methods in side.document["paths"].items():
        for method, said in methods.items():
            yield Operation(side, method, path, said)
