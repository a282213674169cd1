"""Where services in one process log: each to a file of its own, libraries to one for all."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sagaline.chassis import logs
from sagaline.chassis.settings import ServiceSettings
from sagaline.local import service_log

LIBRARIES = "libraries.log"  # who of the services called them can't be told
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


@contextmanager
def kept(folder: Path, services: Iterable[str]) -> Iterator[None]:
    """For the block, each service's log is in `folder`, as its own process would write it."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {logging.getLogger(f"sagaline.{name}"): f"{name}.log" for name in services}
    opened = [_open(logger, folder / name) for logger, name in own.items()]
    root = logging.getLogger()
    libraries = _open(root, folder / LIBRARIES)
    libraries.setFormatter(logging.Formatter(FORMAT))
    libraries.setLevel(logging.WARNING)
    for logger in own:
        logger.propagate = False
    try:
        yield
    finally:
        for logger, handler in zip((*own, root), (*opened, libraries), strict=True):
            logger.removeHandler(handler)
            handler.close()
        for logger in own:
            logger.propagate = True


def configure(settings: ServiceSettings) -> None:
    """The service's log has the format and the level that are set."""
    logger = logging.getLogger(f"sagaline.{settings.service}")
    logger.setLevel(settings.log_level)
    for handler in logger.handlers:
        handler.setFormatter(logs.formatter(settings))


def _open(logger: logging.Logger, path: Path) -> logging.Handler:
    service_log.make_room(path)
    handler = logging.FileHandler(path)
    logger.addHandler(handler)
    return handler
