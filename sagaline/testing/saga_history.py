"""A saga's recorded history, as a test asks it: how often did this happen?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sagaline.engine.events import Event


@dataclass(frozen=True, slots=True)
class SagaHistory:
    """The events of one saga, oldest first, as plain JSON."""

    events: Sequence[Mapping[str, object]]

    @classmethod
    def of(cls, document: Mapping[str, object]) -> Self:
        """Read `GET /sagas/{id}/history`."""
        entries = document["entries"]
        assert isinstance(entries, list)
        return cls([event for entry in entries for event in entry["events"]])

    def count(self, kind: type[Event], **facts: object) -> int:
        """Say how many events are of that kind and have those facts: `step="reserve_stock"`."""
        same_kind = [event for event in self.events if event["type"] == kind.__name__]
        return sum(all(event.get(k) == v for k, v in facts.items()) for event in same_kind)
