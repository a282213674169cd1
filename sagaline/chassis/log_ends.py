"""Where partitions begin and end in the log, as the broker says."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition

Offsets: TypeAlias = Mapping[TopicPartition, int]


async def log_ends(
    kafka: AIOKafkaConsumer, places: Sequence[TopicPartition]
) -> tuple[Offsets, Offsets]:
    """The first offsets of these, and those that come next. Raises KafkaError.

    A broker answers a connection's questions one after the other, and a fetch may be under way:
    asked together, both wait for the same one.
    """
    begins, ends = await asyncio.gather(kafka.beginning_offsets(places), kafka.end_offsets(places))
    return begins, ends
