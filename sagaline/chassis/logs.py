"""One log: structlog for ours, the standard library's for others', in one format on stdout.

A logger of ours carries its processors with it, so that several services fit in one process and
nothing is configured globally but the process's one handler.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from sagaline.chassis.settings import ServiceSettings

# Chatty below these: a poll or a statement is no event; a reconnect is reported by our own loops.
OTHERS = {
    "aiokafka": logging.WARNING,
    "asyncio": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "alembic": logging.WARNING,
    "uvicorn": logging.WARNING,
    "httpx": logging.WARNING,
}


def logger(service: str) -> FilteringBoundLogger:
    """The log of one service: `await`-free, keyword facts, one line an event."""
    found: FilteringBoundLogger = structlog.wrap_logger(
        logging.getLogger(f"sagaline.{service}"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _caught,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    ).bind(service=service)
    return found


def _caught(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The exception in hand is looked up here: a handler may format the line later."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()
    return event


def configure(settings: ServiceSettings) -> None:
    """Send this process's log to stdout, in the format and from the level that are set."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter(settings))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name, level in OTHERS.items():
        found = logging.getLogger(name)
        found.handlers.clear()
        found.propagate = True
        found.setLevel(max(level, root.level))
    logging.captureWarnings(True)


def formatter(settings: ServiceSettings) -> logging.Formatter:
    """Records, ours and others', as lines of JSON or for people."""

    def named(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", settings.service)
        return event

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
    ]
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars],
        processors=[*shared, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
