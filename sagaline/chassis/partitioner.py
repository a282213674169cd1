"""Which partition a key's records stand in: Kafka's default for keys, as its own clients have it.

Whoever writes and whoever looks must find the same partition, so the rule stands here alone.
"""

from aiokafka.partitioner import murmur2


def partition_of(key: str, partitions: int) -> int:
    """The number of the key's partition, in a topic of so many."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)
