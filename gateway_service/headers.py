"""Headers of requests that the routes take, each as its parameter's type."""

from typing import Annotated, TypeAlias

from fastapi import Header

from gateway_service import prefer

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Chosen by the customer, 1 to 255 characters of printable ASCII: repeating "
        "the request with the same key gives the same order.",
    ),
]
Preferences: TypeAlias = Annotated[
    list[str] | None,
    Header(
        alias="Prefer",
        description="`wait=N` (RFC 7240): answer when the order is CONFIRMED or REJECTED, at the "
        f"latest after N seconds; at most {prefer.WAIT_MAX_S}. Everything else is passed over.",
        examples=[["wait=10"]],
    ),
]
Known: TypeAlias = Annotated[
    list[str] | None,
    Header(
        alias="If-None-Match",
        description="Tags that the client has: if the answer's is among them, it is 304.",
        examples=[['W/"3"']],
    ),
]
LastEventId: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the event that came last: the first one is about what is newer.",
        examples=["3"],
    ),
]
