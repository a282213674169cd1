"""Which partition a key's records stand in: Kafka's default for keys, as its own clients have it.

Whoever writes and whoever looks must find the same partition, so the rule stands here alone.
"""

from struct import unpack_from

_SEED = 0x9747B28C
_FACTOR = 0x5BD1E995
_WORD = 0xFFFFFFFF


def partition_of(key: str, partitions: int) -> int:
    """The number of the key's partition, in a topic of so many."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """The hash of Kafka's clients. aiokafka's own takes twice as long, for every record written."""
    whole = len(data) & ~3
    found = _SEED ^ len(data)
    for word in unpack_from(f"<{whole >> 2}I", data):
        mixed = word * _FACTOR & _WORD
        found = (found * _FACTOR ^ (mixed ^ mixed >> 24) * _FACTOR) & _WORD
    if len(data) > whole:
        found = (found ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _WORD
    found = (found ^ found >> 13) * _FACTOR & _WORD
    return found ^ found >> 15
