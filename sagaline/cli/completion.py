"""What a shell may offer after a Tab: names that this platform has."""

from collections.abc import Iterable

from sagaline.chassis.errors import PlatformError
from sagaline.cli import place


def service_names(incomplete: str) -> Iterable[str]:
    """Give the services of sagaline.toml that begin so; none where there is no such file."""
    try:
        return [each.name for each in place.config().services if each.name.startswith(incomplete)]
    except PlatformError:
        return []  # whatever is wrong, the command itself will say
