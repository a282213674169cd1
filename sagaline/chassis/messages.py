"""Generated from Avro schemas by `python -m schemas.generate`: edit those, not this."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final
from uuid import UUID

from pydantic import Field

from sagaline.chassis.message import Int32, Int64, Part, PlatformMessage, UtcTime


class Notice(PlatformMessage):
    """The platform answers in a participant's place; the outcome is in the envelope."""

    avro_name: ClassVar[str] = "sagaline.Notice"
    fingerprint: ClassVar[bytes] = bytes.fromhex("d4dfdef18c8ee672")

    code: str = Field(description="Why, for programs.")
    detail: str = Field(description="The same in a sentence, for people.")


class Revoke(PlatformMessage):
    """Settle an action in doubt: it never happens if it did not come yet, else it is answered."""

    avro_name: ClassVar[str] = "sagaline.Revoke"
    fingerprint: ClassVar[bytes] = bytes.fromhex("79b9e66cddf44f60")

    key: str = Field(description="Key of the saga's records.")
    saga_id: UUID = Field(description="The saga in doubt.")
    step: str = Field(description="The step whose action is revoked.")


class SnapshotStep(Part):
    """One step of a saga that has begun."""

    name: str = Field(description="The step's name in the definition.")
    kind: str = Field(description="compensatable, pivot or retriable.")
    status: str = Field(description="Such as WAITING, SUCCEEDED or UNDONE.")
    direction: str = Field(
        description="action, undo or revoke: what was asked of the participant last."
    )
    attempts: Int32 = Field(description="Sends of the current command, the first one included.")
    started_at: UtcTime | None = Field(
        default=None, description="When the action was first asked for."
    )
    ended_at: UtcTime | None = Field(default=None, description="When the step came to rest.")
    code: str | None = Field(default=None, description="Code of the refusal, if there was one.")
    detail: str | None = Field(default=None, description="The same in a sentence, for people.")
    parked: bool = Field(description="The command was set aside; an operator has to look.")
    stalled: bool = Field(description="It takes longer than it should and goes on being tried.")


class SagaSnapshot(PlatformMessage):
    """How a saga stands; the highest sequence of a key is the truth."""

    avro_name: ClassVar[str] = "sagaline.SagaSnapshot"
    fingerprint: ClassVar[bytes] = bytes.fromhex("8bfe695cf2352dcf")

    saga_id: UUID = Field(description="The saga.")
    key: str = Field(description="Key: what the saga is about, such as an order's id.")
    definition: str = Field(description="Name of the saga's definition.")
    definition_version: Int32 = Field(
        description="Version of the definition that this saga stays on."
    )
    sequence: Int64 = Field(
        description="Counts the changes of all sagas of this key, without gaps."
    )
    state: str = Field(description="Such as RUNNING, COMMITTED or COMPENSATING.")
    verdict: str = Field(
        description="open, committed (past the pivot) or compensated (all undone)."
    )
    code: str | None = Field(default=None, description="Code of the first refusal.")
    detail: str | None = Field(default=None, description="The same in a sentence, for people.")
    failed_step: str | None = Field(default=None, description="The step that refused first.")
    steps: tuple[SnapshotStep, ...] = Field(
        description="Steps that have begun, in the definition's order."
    )
    started_at: UtcTime = Field(description="When the saga began.")
    updated_at: UtcTime = Field(description="When it last changed.")


MESSAGES: Final[tuple[type[PlatformMessage], ...]] = (
    Notice,
    Revoke,
    SagaSnapshot,
)

# The file of each schema that a record may be written in, by hexadecimal fingerprint.
WRITERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "79b9e66cddf44f60": "avro/sagaline.Revoke.avsc",
        "8bfe695cf2352dcf": "avro/sagaline.SagaSnapshot.avsc",
        "d4dfdef18c8ee672": "avro/sagaline.Notice.avsc",
    }
)
