"""What the generated platform messages stand on. A catalog's messages have a base of their own."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final, Self, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _to_utc(time: datetime) -> datetime:
    return time if time.tzinfo is UTC else time.astimezone(UTC)


UtcTime: TypeAlias = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Int32: TypeAlias = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64: TypeAlias = Annotated[int, Field(ge=-(2**63), lt=2**63)]


_put: Final = object.__setattr__  # a record is frozen


class Part(BaseModel):
    """A record inside a message. Immutable; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def trusted(cls, fields: dict[str, object]) -> Self:
        """The record of all these fields, none of which is looked at: for values of our own.

        It is what `model_construct` does, without its search for defaults.
        """
        made = cls.__new__(cls)
        _put(made, "__dict__", fields)
        _put(made, "__pydantic_fields_set__", set(fields))
        _put(made, "__pydantic_extra__", None)
        _put(made, "__pydantic_private__", None)
        return made


class PlatformMessage(Part):
    """A message of the chassis itself, on topics of any platform."""

    avro_name: ClassVar[str]  # full name, such as sagaline.Notice
    fingerprint: ClassVar[bytes]  # 8 bytes, as they stand in the single-object encoding
    outcome: ClassVar[str | None] = None  # of a reply: succeeded, refused, undone ...
    replies: ClassVar[tuple[str, ...]] = ()  # of a command: full names of what may answer it
