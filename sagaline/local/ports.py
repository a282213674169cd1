"""TCP ports on the loopback address: which one is free, and who needs one that is not."""

import errno
import random
import socket
from pathlib import Path

from sagaline.local.errors import PortTaken

LOOPBACK = "127.0.0.1"
LOWEST_FREE_PORT = 20_000
TRIES_MAX = 200


def require_free(port: int, *, server: str, setting: str) -> None:
    """Nobody listens on `port`, at this moment. Raises PortTaken, which names `setting`."""
    if not is_free(port):
        raise PortTaken(port=port, host=LOOPBACK, server=server, setting=setting)


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection of the last run, in TIME_WAIT, doesn't count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_port(rng: random.Random) -> int:
    """Pick a port that is free now and that no outgoing connection is given by the kernel.

    From the kernel's own range, a client that retries while its server is down would sooner or
    later be connected to itself, and the server could not come back.
    """
    for _ in range(TRIES_MAX):
        port = rng.randrange(LOWEST_FREE_PORT, _first_ephemeral_port())
        if is_free(port):
            return port
    raise PortTaken(port="any", host=LOOPBACK, server="a throw-away server", setting="nothing")


def _first_ephemeral_port() -> int:
    path = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(path.read_text().split()[0]) if path.exists() else 32_768
    return lowest if lowest > LOWEST_FREE_PORT + TRIES_MAX else 65_536
