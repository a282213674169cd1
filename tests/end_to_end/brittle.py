"""The inventory service of a bad release: it fails on SKUs that it should cope with.

BRITTLE_SKUS=SKU-1,SKU-2 python -m tests.end_to_end.brittle run
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from inventory_service import handlers
from inventory_service.service import service
from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.main import main
from sagaline.chassis.service import Service
from schemas.messages import ReserveStock

TOPIC = "inventory.commands.v1"
SKUS = "BRITTLE_SKUS"


async def reserve_stock(tx: Transaction, batch: Sequence[ReserveStock]) -> Sequence[Message]:
    """Reserve each order, and stumble over some."""
    broken = set(os.environ[SKUS].split(","))
    for order in batch:
        for line in order.lines:
            if line.sku in broken:
                raise ValueError(f"{line.sku} has no size")
    return await handlers.reserve_stock(tx, batch)


def brittle() -> Service:
    """Wire the release."""
    given = service()
    table = given.consumes[TOPIC]
    assert isinstance(table, Mapping)
    return replace(given, consumes={TOPIC: {**table, ReserveStock: reserve_stock}})


if __name__ == "__main__":
    main(brittle)
