"""Fetched records, sorted: those that can be handled, decoded, and those that are to be parked.

See docs/architecture.md, "Parking". Nothing is handled here, and nothing written.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sagaline.chassis import parking
from sagaline.chassis.batch import Raw, key_of, place_of
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.envelope import Envelope, Record
from sagaline.chassis.errors import MalformedEnvelope, PlatformError
from sagaline.chassis.horizon import Horizon
from sagaline.chassis.parking import Poison, Queue, queue_of
from sagaline.chassis.prepared import Prepared


class Sorter:
    """Reads what a service's topics carry; on those of `commands` it also judges the age."""

    def __init__(
        self,
        codec: Codec,
        commands: Mapping[str, Commands],
        *,
        horizon: Horizon,
        clock: Callable[[], datetime],
    ) -> None:
        self._codec = codec
        self._commands = commands
        self._horizon = horizon
        self._clock = clock

    def sort(
        self, batch: Sequence[Raw], parked: set[Queue], prepared: Prepared
    ) -> tuple[dict[str, list[Record]], list[Poison]]:
        """Records by topic, and what is to be parked: undecodable, or behind a parked one.

        `parked` are the batch's queues of which a record is parked already.
        """
        records: dict[str, list[Record]] = {}
        poisons: list[Poison] = []
        shut = set(parked)
        seen: set[tuple[str, bytes | None]] = set()
        for raw in batch:
            if shut and queue_of(raw) in shut:  # hardly ever is there one
                poisons.append(Poison(raw, parking.BEHIND, "A record before it is parked."))
            elif (fault := prepared.failed.get(place_of(raw))) is not None:
                poisons.append(Poison.of(raw, fault))
                shut.add(queue_of(raw))
            elif raw.topic not in self._commands or (raw.topic, raw.key) not in seen:
                try:
                    records.setdefault(raw.topic, []).append(self.record(raw))
                    seen.add((raw.topic, raw.key))
                except PlatformError as error:
                    poisons.append(Poison.of(raw, error))
                    shut.add(queue_of(raw))
        return {topic: found for topic, found in records.items() if found}, poisons

    def record(self, raw: Raw) -> Record:
        """The record, decoded and checked; raises a PlatformError that says what is wrong."""
        envelope = Envelope.parse(raw.headers)
        key = key_of(raw)
        if envelope.subject != key:
            # A batch holds a key once, and with it a saga step: under another key it came twice.
            raise MalformedEnvelope(reason=f"key {key!r}, subject {envelope.subject!r}")
        message = self._codec.decode(raw.value or b"")
        record = Record(
            raw.topic,
            raw.partition,
            raw.offset,
            key,
            envelope,
            message,
            raw.value or b"",
        )
        if raw.topic in self._commands:
            self._horizon.check(envelope.time, now=self._clock())
            self._commands[raw.topic].check(record)
        return record
