"""The four participants as they are put together: every command has its handler."""

from collections.abc import Callable, Mapping
from typing import Final

import pytest

import schemas
from inventory_service.service import service as inventory
from notification_service.service import service as notification
from order_service.service import service as order
from payment_service.service import service as payment
from sagaline.chassis.service import Service

SERVICES: Final = {
    "order_service": order,
    "inventory_service": inventory,
    "payment_service": payment,
    "notification_service": notification,
}


@pytest.mark.parametrize("name, compose", SERVICES.items())
def test_a_service_handles_exactly_the_commands_of_the_topics_it_reads(
    name: str, compose: Callable[[], Service]
) -> None:
    consumes = compose().consumes
    topics = schemas.CATALOG.topics
    assert set(consumes) == {topic.name for topic in topics.values() if name in topic.readers}
    for topic, table in consumes.items():
        assert isinstance(table, Mapping)
        business = {each for each in topics[topic].messages if not each.startswith("sagaline.")}
        assert {command.avro_name for command in table} == business


@pytest.mark.parametrize("name, compose", SERVICES.items())
def test_a_service_is_called_what_its_package_is_called_and_shows_its_books(
    name: str, compose: Callable[[], Service]
) -> None:
    service = compose()
    assert service.name == name
    assert type(service.settings).model_config["env_prefix"] == (
        f"SAGALINE_{name.removesuffix('_service').upper()}_"
    )
    assert "/books" in service.application().openapi()["paths"]
