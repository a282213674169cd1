"""A relay in a process of its own, to be stopped: `database_url bootstrap owner`."""

import asyncio
import sys

from tests.integration.relay.stage import new_relay

if __name__ == "__main__":
    database_url, bootstrap, owner = sys.argv[1:]
    asyncio.run(new_relay(database_url, bootstrap, owner=owner).run(asyncio.Event()))
