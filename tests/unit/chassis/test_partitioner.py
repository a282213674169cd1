"""Partitions of keys: where Kafka's own clients look for them."""

from random import Random

import pytest
from aiokafka.partitioner import murmur2 as theirs

from sagaline.chassis.partitioner import murmur2, partition_of


@pytest.mark.parametrize("length", range(41))
def test_it_hashes_as_kafka_s_clients_do(length: int) -> None:
    data = Random(length).randbytes(length)
    assert murmur2(data) == theirs(data)


def test_a_key_has_one_partition_of_those_there_are() -> None:
    assert {partition_of(f"key-{n}", 3) for n in range(100)} == {0, 1, 2}
