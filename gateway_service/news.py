"""Word of what the projection shows, to whoever listens in the same process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from gateway_service import domain

Listener: TypeAlias = Callable[[Sequence[domain.View]], None]


class News:
    """Between the projection, which is wired first, and parts that open and close."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def tell(self, views: Sequence[domain.View]) -> None:
        """These views were committed: so the orders are shown now, until there are newer ones."""
        for listener in self._listeners:
            listener(views)

    @contextmanager
    def heard_by(self, listener: Listener) -> Iterator[None]:
        """The listener is told, for the block; it may not fail."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
