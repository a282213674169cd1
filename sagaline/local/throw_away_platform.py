"""A whole platform for one demo, one bench or one test session: free ports, a folder that goes."""

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sagaline.local import leftovers
from sagaline.local.backing import MakeServers
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.happenings import Happening
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.servers import throw_away_servers


@contextmanager
def throw_away_platform(
    config: PlatformConfig,
    *,
    rng: random.Random,
    tell: Callable[[Happening], None],
    settings: Mapping[str, str] | None = None,
    servers: MakeServers = throw_away_servers,
    ending: Callable[[], None] = lambda: None,
) -> Iterator[EmbeddedPlatform]:
    """Give a platform that is ready; it is stopped and removed afterwards, whatever happened.

    `ending` is called before that: the place to close one's ears to another Ctrl-C.
    """
    directory = leftovers.throw_away_directory()
    platform = EmbeddedPlatform(
        config.with_free_ports(rng), directory, tell=tell, settings=settings, servers=servers
    )
    with directory.owned(os.getpid()):
        try:
            platform.start()
            yield platform
        finally:
            ending()
            platform.stop()
            shutil.rmtree(leftovers.postgres_directory(directory), ignore_errors=True)
            shutil.rmtree(directory.path, ignore_errors=True)
