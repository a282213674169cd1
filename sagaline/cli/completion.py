"""What a shell may offer after a Tab: names that this platform has.

Whatever goes wrong here stays here: the command itself will say it.
"""

from collections.abc import Iterable

from sagaline.chassis.errors import PlatformError
from sagaline.cli import place
from sagaline.local.topics.catalog import catalog


def service_names(incomplete: str) -> Iterable[str]:
    """Give the services of sagaline.toml that begin so."""
    try:
        names = [service.name for service in place.config().services]
    except PlatformError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def topic_names(incomplete: str) -> Iterable[str]:
    """Give the catalog's topics that begin so; sandboxes are not asked for."""
    try:
        names = catalog(place.config()).topics
    except PlatformError:
        return []
    return [name for name in names if name.startswith(incomplete)]
