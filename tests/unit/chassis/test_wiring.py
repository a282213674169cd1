"""Which topics a service answers on, and leaves dead letters on, is the catalog's to say."""

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

import schemas
from sagaline.chassis import metrics, wiring
from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.handlers import HandlerTable
from sagaline.chassis.inbox_metrics import LagMetrics
from sagaline.chassis.settings import ServiceSettings
from schemas.messages import CapturePayment, CommitStock, ReserveStock


class InventorySettings(ServiceSettings):
    service = "inventory_service"


async def handler(_tx: Transaction, _batch: Sequence[Message]) -> list[Message]:
    return []


def test_replies_go_where_the_catalog_has_them() -> None:
    table: HandlerTable = {ReserveStock: handler, CommitStock: handler}
    assert wiring.replies_topic(schemas.CATALOG, table) == "inventory.replies.v1"


def test_a_table_whose_replies_stand_on_two_topics_is_a_mistake() -> None:
    table: HandlerTable = {ReserveStock: handler, CapturePayment: handler}
    with pytest.raises(AssertionError, match=r"inventory\.replies\.v1"):
        wiring.replies_topic(schemas.CATALOG, table)


def test_dead_letters_go_to_the_services_own_topic() -> None:
    topic = wiring.dead_letters_topic(schemas.CATALOG, "inventory_service")
    assert topic == "inventory.dlq.v1"
    assert wiring.dead_letters_topic(schemas.CATALOG, "nobody") is None


def test_every_limit_is_visible_as_a_metric() -> None:
    registry = metrics.open_registry(InventorySettings(batch_rows_max=77))
    value = registry.get_sample_value("sagaline_setting", {"name": "batch_rows_max"})
    assert value == 77


def test_lag_is_what_the_consumer_says_at_each_scrape() -> None:
    registry, lag = CollectorRegistry(), {("lamps.v1", 3): 7}
    LagMetrics(registry, lambda: lag)
    labels = {"topic": "lamps.v1", "partition": "3"}
    assert registry.get_sample_value("sagaline_consumer_lag_records", labels) == 7
    lag.clear()
    assert registry.get_sample_value("sagaline_consumer_lag_records", labels) is None


def test_two_services_in_one_process_have_two_registries() -> None:
    for _ in range(2):
        metrics.HttpMetrics(metrics.open_registry(InventorySettings()))
