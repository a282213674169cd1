"""`sagactl down`: ends a platform from outside."""

from sagaline.cli import place
from sagaline.cli.output import console
from sagaline.cli.place import StateOption
from sagaline.local import leftovers

STOP_TIMEOUT_S = 15.0


def down(state: StateOption = None) -> None:
    """Stop the platform that './sagactl up' started, and whatever a killed one left behind.

    Exit 0: nothing runs any more, or nothing did.

    Example:

      ./sagactl down
    """
    directory = place.state(state)
    owner = leftovers.take_down(directory, timeout_s=STOP_TIMEOUT_S)
    said = "nothing ran" if owner is None else f"stopped, it was process {owner}"
    console().print(said)
