"""What operators' commands have in common: which service, and who it is that intervenes."""

from typing import Annotated

import typer

from sagaline.cli import place

ServiceOption = Annotated[
    str | None,
    typer.Option(help="Only there, for example payment_service.", show_default="all"),
]
WhoOption = Annotated[
    str | None,
    typer.Option(envvar="USER", help="Kept with what was done.", show_envvar=False),
]


def chosen_services(given: str | None) -> list[str]:
    """Give the service, or all of the platform; one that it doesn't have is wrong usage."""
    known = [service.name for service in place.config().services]
    if given is None:
        return known
    if given not in known:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(known)}", param_hint="--service")
    return [given]
