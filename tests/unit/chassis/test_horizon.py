"""How old a command may be, and how long topics may keep records."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import schemas
from sagaline.chassis.horizon import BeyondHorizon, Horizon, HorizonTooNear

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY_MS = 86_400_000
COMMANDS = schemas.CATALOG.topics["inventory.commands.v1"]


def test_a_command_from_after_the_horizon_is_executed() -> None:
    Horizon(30 * DAY_MS).check(NOW - timedelta(days=30), now=NOW)
    Horizon(30 * DAY_MS).check(NOW + timedelta(days=1), now=NOW)  # a clock that is ahead


def test_a_command_from_before_the_horizon_is_not() -> None:
    with pytest.raises(BeyondHorizon, match=r"30\.0 days"):
        Horizon(30 * DAY_MS).check(NOW - timedelta(days=30, seconds=1), now=NOW)


def test_a_topic_that_keeps_records_longer_is_told() -> None:
    Horizon(COMMANDS.retention_ms).covers([COMMANDS])
    longer = replace(COMMANDS, retention_ms=31 * DAY_MS)
    with pytest.raises(HorizonTooNear, match="SAGALINE_RETENTION_HORIZON_MS") as caught:
        Horizon(30 * DAY_MS).covers([longer])
    assert COMMANDS.name in str(caught.value)


def test_the_platforms_topics_are_within_the_default_horizon() -> None:
    Horizon(30 * DAY_MS).covers(schemas.CATALOG.topics.values())
