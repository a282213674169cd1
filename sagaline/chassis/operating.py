"""What operators' requests have in common: who asks and why, and texts of bounded length."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sagaline.chassis import examples
from sagaline.chassis.interventions import Mandate

TEXT_CHARACTERS_MAX = 500

Text: TypeAlias = Annotated[str, StringConstraints(max_length=TEXT_CHARACTERS_MAX)]
Said: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_CHARACTERS_MAX)
]


class Asking(BaseModel):
    """Who intervenes, and why: kept with what was done. Nobody checks who somebody is."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [examples.A_REASON]}
    )

    who: Said | None = Field(default=None, description="A name, for those who look later.")
    reason: Said | None = Field(default=None, description="Kept with what was done.")

    @property
    def mandate(self) -> Mandate:
        """The same, for the record."""
        return Mandate(who=self.who, reason=self.reason)


class Giving(Asking):
    """As before, but it has to be said why."""

    reason: Said = Field(description="Kept with what was done, and told to the saga.")


def together(*routers: APIRouter | None) -> APIRouter:
    """One router with the routes of all of these that are there."""
    made = APIRouter()
    for router in routers:
        if router is not None:
            made.include_router(router)
    return made
