"""The read model: what sagas tell of themselves, projected onto the orders they are about.

See docs/architecture.md, "Read models". Snapshots may come twice and in any order.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from gateway_service import domain, repository
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Outgoing, Record
from sagaline.chassis.handlers import RecordHandler
from sagaline.chassis.messages import SagaSnapshot


def projection(
    clock: Callable[[], datetime], tell: Callable[[Sequence[domain.View]], None]
) -> RecordHandler:
    """A handler of `sagas.events.v1`: afterwards each order shows its newest snapshot.

    `tell` gets to know, once they are committed.
    """

    async def project(tx: Transaction, records: Sequence[Record]) -> list[Outgoing]:
        now = clock()
        snapshots = domain.newest(_snapshot(record) for record in records)
        views = [view(snapshot, now) for snapshot in snapshots]
        shown = await repository.show(tx, views)
        tx.afterwards(lambda: tell(shown))
        return []

    return project


def _snapshot(record: Record) -> SagaSnapshot:
    assert isinstance(record.message, SagaSnapshot), record.message
    return record.message


def view(snapshot: SagaSnapshot, now: datetime) -> domain.View:
    """The snapshot as it is shown from `now` on."""
    status = domain.status(snapshot.verdict)
    return domain.View(
        order_id=UUID(snapshot.key),
        sequence=snapshot.sequence,
        status=status,
        saga_id=snapshot.saga_id,
        definition=snapshot.definition,
        version=snapshot.definition_version,
        state=snapshot.state,
        failed_step=snapshot.failed_step,
        code=snapshot.code,
        detail=snapshot.detail,
        steps=snapshot.steps,
        started_at=snapshot.started_at,
        updated_at=snapshot.updated_at,
        ended_at=None if status == "PENDING" else now,
    )
