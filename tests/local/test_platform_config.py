"""sagaline.toml is read whole or refused with the entry at fault."""

import random
from pathlib import Path

import pytest

from sagaline.local.errors import BadPlatformFile
from sagaline.local.platform_config import PlatformConfig

CHECKOUT = Path(__file__).parents[2]
GOOD = """
schemas = "schemas"
[ports]
postgres = 15432
kafka = 19092
kafka_controller = 19093
[services.lamp_service]
port = 8080
settings = "SAGALINE_LAMP"
"""


def test_the_checkouts_platform_has_six_services_on_the_documented_ports() -> None:
    config = PlatformConfig.find(CHECKOUT / "docs" / "adr")
    assert config.root == CHECKOUT
    assert {service.name: service.port for service in config.services} == {
        "gateway_service": 8080,
        "order_service": 8081,
        "inventory_service": 8082,
        "payment_service": 8083,
        "notification_service": 8084,
        "saga_orchestrator": 8085,
    }
    assert [service.operator_port for service in config.services] == list(range(9080, 9086))
    assert (config.ports.kafka, config.ports.postgres) == (19092, 15432)
    assert config.service("saga_orchestrator").settings_prefix == "SAGALINE_ORCHESTRATOR"


@pytest.mark.parametrize(
    "good, bad, named",
    [
        ("8080", "80", "services.lamp_service.port"),
        ("8080", '"8080"', "services.lamp_service.port"),
        ("port = 8080", "port = 8080\noperator_port = 90", "services.lamp_service.operator_port"),
        ("port = 8080", "port = 8080\noperator_port = 15432", "port 15432"),
        ("8080", "19092", "port 19092"),
        ("kafka = 19092", "", "ports.kafka is missing"),
        ("lamp_service", '"lamp-service"', "lamp-service"),
        ("SAGALINE_LAMP", "LAMP", "services.lamp_service.settings"),
        ("[ports]", "[[ports]]", "ports"),
        ("schemas =", "schemas", "not a platform file"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, good: str, bad: str, named: str) -> None:
    (tmp_path / "sagaline.toml").write_text(GOOD.replace(good, bad, 1))
    with pytest.raises(BadPlatformFile, match=named):
        PlatformConfig.find(tmp_path)


def test_operators_are_answered_a_thousand_above_unless_the_file_says_where(
    tmp_path: Path,
) -> None:
    (tmp_path / "sagaline.toml").write_text(GOOD)
    (lamp,) = PlatformConfig.find(tmp_path).services
    assert lamp.operator_port == 9080


def test_without_a_file_the_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPlatformFile, match=str(tmp_path)):
        PlatformConfig.find(tmp_path)


def test_free_ports_are_all_different_and_not_the_kernels_to_give_away() -> None:
    free = PlatformConfig.find(CHECKOUT).with_free_ports(random.Random(7))
    ports = [free.ports.postgres, free.ports.kafka, free.ports.kafka_controller]
    ports += [port for service in free.services for port in service.ports.values()]
    assert len(set(ports)) == 15
    first_ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]
    assert max(ports) < int(first_ephemeral)
