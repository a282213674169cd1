"""The gateway's settings."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sagaline.chassis.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """The gateway's own, beside the shared `SAGALINE_*`; read once, at the start."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_GATEWAY_", frozen=True)
    service: ClassVar[str] = "gateway_service"

    # Each order with a key holds one of PostgreSQL's shared locks until its transaction ends; the
    # server's table of them has room for some 6,000 by default.
    intake_batch_max: int = Field(
        200, ge=1, le=1_000, description="Orders that one transaction accepts at most."
    )
    intake_waiting_max: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="Orders that wait for a transaction; one more gets 503.",
    )
    waiting_max: int = Field(
        4_000,
        ge=0,
        le=100_000,
        description="Requests that wait for an order's end; one more is answered at once.",
    )
    streams_max: int = Field(
        1_000, ge=0, le=100_000, description="Open streams of orders' progress; one more gets 503."
    )
    stream_heartbeat_ms: int = Field(
        15_000,
        ge=10,
        le=600_000,
        description="After so long without an event a stream carries a comment.",
    )
    remind_after_ms: int = Field(
        60_000,
        ge=100,
        le=86_400_000,
        description="An order of which no saga event came for so long is sent again; the next time "
        "after twice as long.",
    )
    remind_within_ms: int = Field(
        86_400_000,
        ge=1_000,
        le=2_592_000_000,
        description="Orders that were placed longer ago are not looked at.",
    )
    remind_interval_ms: int = Field(
        20_000, ge=10, le=3_600_000, description="Between two looks at such orders."
    )
    reminders_max: int = Field(
        5, ge=0, le=20, description="How often an order is sent again before it is given up."
    )
