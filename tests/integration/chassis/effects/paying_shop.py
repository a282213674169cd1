"""A shop that has its customers charged at a bank before it reserves, and refunded to release."""

from collections.abc import Sequence
from uuid import UUID

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Effect, Port
from sagaline.chassis.handlers import EffectTable
from schemas.messages import CommitStock, ReleaseStock, ReserveStock
from tests.integration.chassis.effects.bank import Bank, BankClient
from tests.integration.chassis.shop import Shop

# Long enough for a loaded machine, and short enough to wait for.
PORT = Port(name="bank", timeout_ms=3_000, margin_ms=200, calls_max=8, pause_ms=20, pause_max_ms=50)


class PayingShop(Shop):
    """What a bank declines is refused. `asks` says whether the bank can be asked."""

    def __init__(self, bank: Bank, *, port: Port = PORT, asks: bool = True) -> None:
        super().__init__()
        self.port = port
        self.asks = asks
        self.intended: list[int] = []
        self.charges = BankClient(bank, "action")
        self._refunds = BankClient(bank, "undo")

    @property
    def handlers(self) -> EffectTable:
        reserve = Effect(
            port=self.port,
            intend=self._intend,
            call=self.charges.charge,
            ask=self.charges.find if self.asks else None,
            settle=self._charged,
        )
        release = Effect(
            port=self.port,
            call=self._refunds.charge,
            ask=self._refunds.find if self.asks else None,
            settle=self._refunded,
        )
        return {ReserveStock: reserve, ReleaseStock: release, CommitStock: self.commit}

    async def _intend(self, _tx: Transaction, batch: Sequence[ReserveStock]) -> None:
        self.intended += [each.order_id.int for each in batch]
        if UUID(int=666) in {each.order_id for each in batch}:
            raise ValueError("this order can't be intended")

    async def _charged(
        self, tx: Transaction, batch: Sequence[ReserveStock], declined: Sequence[bool]
    ) -> Sequence[Message]:
        self.refused |= {each.order_id.int for each, no in zip(batch, declined, strict=True) if no}
        return await self.reserve(tx, batch)

    async def _refunded(
        self, tx: Transaction, batch: Sequence[ReleaseStock], _declined: Sequence[bool]
    ) -> Sequence[Message]:
        return await self.release(tx, batch)
