"""UUIDs as the database driver makes them: compiled, and to everyone else plain UUIDs.

One of a text takes 0.1 us instead of 1.0, its text 0.04 instead of 0.6. What the driver reads from
rows is of this type anyhow, so that each place that takes a UUID knows it.
"""

from hashlib import sha1
from os import urandom
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as QuickUUID  # noqa: N811  # it is a class

__all__ = ["QuickUUID", "uuid4", "uuid5"]


def uuid4() -> UUID:
    """As `uuid.uuid4`, in half of its time."""
    return _variant(bytearray(urandom(16)), 4)


def uuid5(namespace: UUID, name: str) -> UUID:
    """What `uuid.uuid5` gives, in a third of its time."""
    digest = bytearray(sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    return _variant(digest, 5)


def _variant(data: bytearray, version: int) -> UUID:
    data[6] = data[6] & 0x0F | version << 4
    data[8] = data[8] & 0x3F | 0x80  # variant of RFC 4122
    return QuickUUID(bytes(data))
