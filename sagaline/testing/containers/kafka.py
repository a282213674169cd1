"""Apache's own image of Kafka; the class that testcontainers has is for another vendor's."""

import random

from testcontainers.core.container import DockerContainer

from sagaline.local.broker_settings import BROKER_SETTINGS
from sagaline.local.ports import LOOPBACK, free_port
from sagaline.testing.containers import engine
from sagaline.testing.containers.waits import Said

IMAGE = "apache/kafka:4.3.0"
PORT = 9092  # inside
START_TIMEOUT_S = 90
NODE_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": "1@localhost:9093",
    # Kafka's way to itself can't be the port that only the host has.
    "listeners": f"PLAINTEXT://:{PORT},BROKER://localhost:9094,CONTROLLER://localhost:9093",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": "/tmp/kafka-logs",  # noqa: S108 - inside
}


class KafkaContainer(DockerContainer):
    """One node of Kafka at `bootstrap`, on this machine's loopback address.

        with KafkaContainer() as kafka:
            AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)

    Its port is chosen before it starts, since it has to tell clients of it: a free one, or `port`.
    """

    def __init__(self, image: str = IMAGE, *, port: int | None = None) -> None:
        super().__init__(image, labels=dict(engine.labels()))
        self.host_port = port or free_port(random.SystemRandom())
        # with_bind_ports() takes no address, and would open the port to the whole network.
        self.ports[f"{PORT}/tcp"] = (LOOPBACK, self.host_port)  # type: ignore[assignment]
        own = {"advertised.listeners": f"PLAINTEXT://{self.bootstrap},BROKER://localhost:9094"}
        for name, value in {**BROKER_SETTINGS, **NODE_SETTINGS, **own}.items():
            self.with_env(_variable(name), value)
        self.with_env("KAFKA_HEAP_OPTS", "-Xmx512m")
        self.ready = Said("Kafka Server started").with_startup_timeout(START_TIMEOUT_S)
        self.waiting_for(self.ready)

    @property
    def bootstrap(self) -> str:
        """The address that clients are given."""
        return f"{LOOPBACK}:{self.host_port}"


def _variable(setting: str) -> str:
    """Give what the image takes for a setting: `group.min-x` as KAFKA_GROUP_MIN___X."""
    name = setting.replace("_", "__").replace("-", "___").replace(".", "_")
    return f"KAFKA_{name.upper()}"
