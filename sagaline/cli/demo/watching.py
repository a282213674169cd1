"""The demo's sagas, shown while they advance: a live table on a terminal, else a line a change."""

import asyncio
import time
from types import TracebackType
from typing import Self
from uuid import UUID

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sagaline.cli.output import styled, table
from sagaline.local.client import Client, NotEnded
from sagaline.local.views import Order, Saga, Step

POLL_S = 0.03
ENDED_WITHIN_S = 30.0
MARKS = {
    "PLANNED": "·",
    "SUCCEEDED": "●",
    "FAILED": "✗",
    "UNDONE": "↺",
    "UNDO_NOOP": "↺",
}
UNDER_WAY = "○"


class Watch:
    """Shows how each of the demo's sagas stands, from its first snapshot to its end."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._begin_s = time.monotonic()
        self._sagas: dict[str, Saga] = {}
        self._orders: dict[str, Order] = {}
        self._live = Live(console=out, auto_refresh=False) if out.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    async def follow(self, client: Client, title: str, order_id: UUID) -> Order:
        """Show the saga of an order until both have ended; give the order. Raises NotEnded."""
        deadline_s = time.monotonic() + ENDED_WITHIN_S
        while True:
            saga, order = await client.saga(order_id), await client.order(order_id)
            self._show(title, saga, order)
            if saga.has_ended and order.has_ended:
                return order
            if time.monotonic() > deadline_s:
                raise NotEnded(order_id=order_id, status=order.status, within_s=ENDED_WITHIN_S)
            await asyncio.sleep(POLL_S)

    def _show(self, title: str, saga: Saga, order: Order) -> None:
        before, self._sagas[title], self._orders[title] = self._sagas.get(title), saga, order
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
        else:
            self._print_changes(title, before, saga)

    def _table(self) -> Table:
        rows = []
        for title, saga in self._sagas.items():
            marks = "".join(MARKS.get(step.status, UNDER_WAY) for step in saga.steps)
            status = self._orders[title].status
            rows.append((title, status, saga.state, marks, _latest(saga)))
        return table(("order", "status", "saga", "steps", "now"), rows)

    def _print_changes(self, title: str, before: Saga | None, saga: Saga) -> None:
        known = {step.name: step.status for step in before.steps} if before else {}
        for step in saga.steps:
            if step.status != known.get(step.name, "PLANNED"):
                self._line(title, step.name, step.status, step.code)
        if before is None or before.state != saga.state:
            self._line(title, "saga", saga.state, None)

    def _line(self, title: str, what: str, status: str, code: str | None) -> None:
        at = f"{time.monotonic() - self._begin_s:6.2f} s  "
        rest = f"  {code}" if code else ""
        self._out.print(Text(f"{at}{title:<18} {what:<18} ") + styled(status) + Text(rest))


def _latest(saga: Saga) -> str:
    """Name the step that moved last, and what made it fail."""
    moved = [(s.ended_at or s.started_at, n) for n, s in enumerate(saga.steps) if s.started_at]
    return _in_words(saga.steps[max(moved)[1]]) if moved else ""


def _in_words(step: Step) -> str:
    return f"{step.name} {step.code or step.status}"
