"""A relay in a process of its own, to be stopped: `database_url bootstrap owner`."""

import asyncio
import sys
from dataclasses import replace

from tests.integration.relay.stage import LIMITS, new_relay

# Who waits for this one to lose its session waits no longer than that.
SOON_LOST = replace(LIMITS, idle_session_timeout_ms=1_000)

if __name__ == "__main__":
    database_url, bootstrap, owner = sys.argv[1:]
    relay = new_relay(database_url, bootstrap, owner=owner, limits=SOON_LOST)
    asyncio.run(relay.run(asyncio.Event()))
