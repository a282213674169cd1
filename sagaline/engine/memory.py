"""Sagas as this process last committed them, so that what stands in their rows is not read again.

See docs/architecture.md, "Memory". Nothing here is true by itself: the saga's row, read under its
key's lock, says which version and time it has, and only a saga of just these is taken from here.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sagaline.engine.state import SagaState
from sagaline.engine.value import value


@value
class Remembered:
    """A saga, and the trace that it belongs to."""

    state: SagaState
    traceparent: str | None


class Memory:
    """At most `sagas_max` sagas; the one that was written longest ago goes first."""

    def __init__(self, *, sagas_max: int) -> None:
        self._sagas_max = sagas_max
        self._sagas: OrderedDict[UUID, Remembered] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sagas)

    def of(
        self, saga_id: UUID, *, version: int | None, updated_at: datetime | None
    ) -> Remembered | None:
        """The saga, if it is what stands in the row of this version and time."""
        found = self._sagas.get(saga_id)
        if found is None:
            return None
        # Versions alone would do, but for a database that was set back to an earlier state, where
        # another process has since come to the same number by another way.
        row = (version, updated_at)
        return found if (found.state.version, found.state.updated_at) == row else None

    def forget(self, saga_ids: Iterable[UUID]) -> None:
        """These are not kept any more: they are about to be written."""
        for saga_id in saga_ids:
            self._sagas.pop(saga_id, None)

    def keep(self, sagas: Iterable[Remembered]) -> None:
        """These were committed just so; of those that came to an end nothing more is asked."""
        for saga in sagas:
            self._sagas.pop(saga.state.saga_id, None)
            if not saga.state.ended:
                self._sagas[saga.state.saga_id] = saga
        while len(self._sagas) > self._sagas_max:
            self._sagas.popitem(last=False)
