"""What every generated model stands on, and the types that Avro's constraints become."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _to_utc(time: datetime) -> datetime:
    return time if time.tzinfo is UTC else time.astimezone(UTC)


UtcTime: TypeAlias = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Int32: TypeAlias = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64: TypeAlias = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Part(BaseModel):
    """A record inside a message. Immutable; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Part):
    """A record that travels by itself, and what its Avro schema says about it."""

    avro_name: ClassVar[str]  # full name, such as inventory.replies.StockReserved
    fingerprint: ClassVar[bytes]  # 8 bytes, as they stand in the single-object encoding
    outcome: ClassVar[str | None] = None  # of a reply: succeeded, refused, undone ...
    replies: ClassVar[tuple[str, ...]] = ()  # of a command: full names of what may answer it
