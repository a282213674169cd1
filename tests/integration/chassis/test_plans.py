"""How PostgreSQL finds what a transaction asks for: keys by an index, reports as it likes."""

from uuid import uuid4

from sagaline.chassis import barrier_rows
from sagaline.chassis.barrier import BarrierRow
from sagaline.chassis.database import WHOLE_TABLES, Transaction
from tests.integration.chassis.stage import Stage

FILL = """
    INSERT INTO sagaline.barrier (saga_id, step, direction, generation)
    SELECT gen_random_uuid(), 'reserve_stock', 'action', 1 FROM generate_series(1, 3000)
"""
SCANS = """
    SELECT seq_scan FROM pg_stat_xact_user_tables
    WHERE schemaname = 'sagaline' AND relname = 'barrier'
"""


async def whole_tables(tx: Transaction) -> set[str]:
    """What the planner may do with whole tables."""
    return {(await tx.fetch(f"SHOW {setting}"))[0][0] for setting in WHOLE_TABLES}


async def test_keys_are_looked_up_in_a_table_of_which_nothing_is_known_yet(stage: Stage) -> None:
    keys = [(uuid4(), "reserve_stock", "action") for _ in range(20)]
    async with stage.database.transaction() as tx:
        await tx.run(FILL)
        await barrier_rows.claim(tx, keys)
        await barrier_rows.settle(tx, dict.fromkeys(keys, BarrierRow(1, "done", "succeeded", b"")))
        assert [row["seq_scan"] for row in await tx.fetch(SCANS)] == [0]


async def test_a_report_may_read_whole_tables_and_the_next_transaction_not(stage: Stage) -> None:
    for _ in range(6):  # each of the pool's connections in turn, or the same one again
        async with stage.database.transaction() as tx:
            await tx.freeze()
            assert await whole_tables(tx) == {"on"}
        async with stage.database.transaction() as tx:
            assert await whole_tables(tx) == {"off"}
