"""Shared settings of traces."""

from pydantic import Field
from pydantic_settings import BaseSettings


class TracingSettings(BaseSettings):
    """Traces: where they are sent, and how many."""

    otlp_endpoint: str | None = Field(
        None,
        validation_alias="SAGALINE_OTLP_ENDPOINT",
        pattern=r"^https?://[^\s/]+/?$",
        description="Where spans are sent by OTLP over HTTP. Unset: no spans.",
        examples=["http://collector:4318"],
    )
    trace_sampling: float = Field(
        1.0,
        validation_alias="SAGALINE_TRACE_SAMPLING",
        ge=0,
        le=1,
        description="Share of new traces that are recorded, 0 to 1; one that a caller has begun is "
        "recorded if the caller's is.",
    )
