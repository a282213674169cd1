"""A command from before the horizon is not executed: nobody knows whether it was, then."""

from datetime import UTC, datetime, timedelta

from tests.integration.chassis.stage import Stage

DAY_MS = 86_400_000


async def test_a_command_older_than_the_horizon_is_parked_unexecuted(stage: Stage) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    lately = (datetime.now(UTC) - timedelta(days=29)).isoformat()
    await stage.send(
        stage.action(1).with_headers(ce_time=long_ago),
        stage.action(5).with_headers(ce_time=lately),
    )
    async with stage.consuming(retention_horizon_ms=30 * DAY_MS):
        await stage.all_read()
    assert await stage.parked() == [(1, "BeyondHorizon")]
    assert await stage.outcomes(1) == ["parked"]  # its saga is told, should it still be there
    assert await stage.effects() == {(5, "reserved"): 1}
