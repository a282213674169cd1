"""Where the platform in containers answers, as Docker tells it."""

import json
from pathlib import Path

import pytest

from sagaline.local.compose import Containers, NoDocker
from sagaline.local.platform_config import PlatformConfig

CONFIG = PlatformConfig.find(Path(__file__).parent)


def container(
    name: str, service: str, ports: dict[int, int], *, label: str = "", state: str = "running"
) -> dict[str, object]:
    published = [{"TargetPort": inside, "PublishedPort": out} for inside, out in ports.items()]
    labels = f"com.docker.compose.depends_on=a:b:false,c:d:false,sagaline.service={label},x=y"
    return {
        "Name": name,
        "Service": service,
        "State": state,
        "Labels": labels if label else "x=y",
        "Publishers": published,
    }


GATEWAY = container("p-gateway-1", "gateway", {8080: 8080, 9080: 7001}, label="gateway_service")
DEAD = container("p-order-1", "order", {}, label="order_service", state="exited")
ALIVE = container("p-order-2", "order", {8080: 7002, 9080: 7003}, label="order_service")
KAFKA = container("p-kafka-1", "kafka", {9092: 0, 19092: 7004})


@pytest.mark.parametrize("array", [True, False], ids=["before 2.21", "since 2.21"])
def test_services_are_found_by_their_label_and_servers_by_their_name(array: bool) -> None:
    all_of_it = [GATEWAY, DEAD, ALIVE, KAFKA]
    text = json.dumps(all_of_it) if array else "\n".join(map(json.dumps, all_of_it))
    found = Containers.read(text).run_file(CONFIG)
    assert found.urls["gateway_service"] == "http://127.0.0.1:8080"
    assert found.operator_urls["gateway_service"] == "http://127.0.0.1:7001"
    assert found.kafka.address == "127.0.0.1:7004"
    assert found.supervisor is None


def test_of_several_replicas_one_that_runs_is_asked() -> None:
    found = Containers.read("\n".join(map(json.dumps, [DEAD, ALIVE]))).run_file(CONFIG)
    assert found.urls["order_service"] == "http://127.0.0.1:7002"


def test_what_does_not_run_answers_nowhere() -> None:
    found = Containers.read(json.dumps(DEAD))
    assert not found.running
    assert found.run_file(CONFIG).urls["order_service"] == "http://127.0.0.1:0"


def test_without_docker_it_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoDocker, match="No such file"):
        Containers.asked(tmp_path, {"PATH": str(tmp_path)})
