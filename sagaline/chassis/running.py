"""A service while it runs: what its parts and its requests may use."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.background import Background
from sagaline.chassis.catalog import Catalog
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.health import Health
from sagaline.chassis.settings import ServiceSettings

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

T = TypeVar("T")


class NotStarted(PlatformError):
    """The service is starting, or waits for its database: try again in a moment."""

    status = 503


@dataclass(frozen=True, kw_only=True)
class Running:
    """One service, from its start to its end. `stopping` is set when it is to end.

    A part may watch its health with `health.watch` and run tasks with `background.start`.
    """

    service: str
    settings: ServiceSettings
    database: Database
    catalog: Catalog
    codec: Codec
    log: FilteringBoundLogger
    metrics: CollectorRegistry
    app: FastAPI
    health: Health
    background: Background
    stopping: asyncio.Event
    spans: "Spans | None" = None  # where somebody collects them
    operator_app: FastAPI = field(default_factory=FastAPI)
    parts: list[object] = field(default_factory=list)  # filled in order while the service starts

    def part(self, kind: type[T]) -> T:
        """The part that is a `kind`; raises NotStarted as long as it isn't open."""
        for part in self.parts:
            if isinstance(part, kind):
                return part
        raise NotStarted


Part: TypeAlias = Callable[[Running], AbstractAsyncContextManager[object]]
Parts: TypeAlias = Sequence[Part]
