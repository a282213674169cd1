"""Which tests share a worker of pytest-xdist: those that share a platform, and those of a file."""

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # as it says

# Folders whose tests share one running platform, or a Kafka of their own; the longest first, what
# is left comes behind.
PLATFORMS = {
    "environment": (
        "tests/end_to_end/",
        "tests/chaos/",
        "tests/contract/http/",
        "tests/integration/topics/",
        "tests/integration/test_",
    ),
    "up": ("tests/integration/cli/",),
    "engine_kafka": ("tests/integration/engine/",),
}
SHORT = "tests/unit/"


class ByPlatform(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A platform's tests go to one worker; so do a file's, whose servers come up once then."""

    def _split_scope(self, nodeid: str) -> str:
        return platform_of(nodeid) or nodeid.partition("::")[0]


def place_of(nodeid: str) -> int:
    """Long before short, so that no worker has a long one left at the end."""
    platform = platform_of(nodeid)
    if platform is not None:
        return list(PLATFORMS).index(platform)
    return len(PLATFORMS) + nodeid.startswith(SHORT)


def platform_of(nodeid: str) -> str | None:
    """The fixture of the platform that a test's folder shares."""
    return next((name for name, paths in PLATFORMS.items() if nodeid.startswith(paths)), None)
