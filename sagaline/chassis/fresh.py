"""Fresh rows: what this process has just put into the outbox, so that it needn't be read back.

See docs/architecture.md, "Relay". Only the reading is saved: which rows there are, and which of
them may be published, the database alone says.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sagaline.chassis.envelope import Encoded, Headers

BYTES_MAX = 8 * 1024 * 1024


class Row(NamedTuple):
    """A row of the outbox that waits to be published."""

    id: int
    topic: str
    key: str
    headers: Headers
    payload: bytes | None
    created_at: datetime


class Fresh:
    """Rows by id while this process has the lane; of more than `bytes_max` the oldest are gone."""

    def __init__(self, *, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._rows: dict[int, tuple[UUID, Row]] = {}
        self._keeping = False

    def open(self) -> None:
        """From now on rows are kept: it is this process that will publish them."""
        self._keeping = True

    def close(self) -> None:
        """Nothing is kept: others may publish, and another server may count the ids anew."""
        self._keeping = False
        self._rows.clear()
        self._bytes = 0

    def keep(self, ids: Sequence[int], messages: Sequence[Encoded], now: datetime) -> None:
        """These were committed, `messages` in the order of their ids."""
        if not self._keeping:
            return
        for id_, said in zip(ids, messages, strict=True):
            row = Row(id_, said.topic, said.key, said.headers, said.value, now)
            self._rows[id_] = (said.id, row)
            self._bytes += _size_bytes(row)
        while self._bytes > self._bytes_max:
            self._bytes -= _size_bytes(self._rows.pop(next(iter(self._rows)))[1])

    def take(self, id_: int, message_id: UUID) -> Row | None:
        """The row, once; None if it isn't here, or another message has its id."""
        message, row = self._rows.pop(id_, (None, None))
        if row is None:
            return None
        self._bytes -= _size_bytes(row)
        return row if message == message_id else None


def _size_bytes(row: Row) -> int:
    """About what a row takes: its payload, and half a kilobyte around it."""
    return 512 + len(row.payload or b"")
