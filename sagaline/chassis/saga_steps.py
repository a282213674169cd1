"""The steps in a saga's snapshot: JSON inside of the Avro record.

What is null or false is left out. Whoever projects snapshots keeps the text as it is, and reads it
only when somebody looks. See docs/adr/0025-steps-in-snapshots-are-json.md.
"""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter


class StepProgress(BaseModel):
    """How a step stands that has begun."""

    model_config = ConfigDict(frozen=True)

    status: str = Field(description="Such as WAITING, SUCCEEDED or UNDONE.")
    direction: str = Field(
        description="action, undo or revoke: what was asked of the participant last."
    )
    attempts: int = Field(description="Sends of the current command, the first one included.")
    started_at: AwareDatetime = Field(description="When the action was first asked for.")
    ended_at: AwareDatetime | None = Field(None, description="When the step came to rest.")
    code: str | None = Field(None, description="Code of the refusal, if there was one.")
    detail: str | None = Field(None, description="The same in a sentence, for people.")
    parked: bool = Field(False, description="The command was set aside; an operator has to look.")
    stalled: bool = Field(
        False, description="It takes longer than it should and goes on being tried."
    )


class SnapshotStep(BaseModel):
    """One step of a saga."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="The step's name in the definition.")
    kind: str = Field(description="compensatable, pivot or retriable.")
    progress: StepProgress | None = Field(
        None, description="How it stands; absent while it is still to come."
    )


STEPS: Final = TypeAdapter(tuple[SnapshotStep, ...])
