"""Kafka and PostgreSQL in containers, by testcontainers: it takes `sagaline[containers]`.

`KafkaContainer` is public. All else here serves `--sagaline-environment`.
"""

from sagaline.testing.containers.kafka import KafkaContainer

__all__ = ["KafkaContainer"]
