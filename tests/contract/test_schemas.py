"""What is generated is as its sources say, and the sources keep the house's rules."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

import schemas
from sagaline.avro import generate, lint
from sagaline.avro.folder import fingerprint
from sagaline.avro.models import render_models
from sagaline.avro.topic_lint import topic_problems
from sagaline.chassis import messages as platform
from sagaline.chassis.catalog import Catalog
from schemas.messages import OrderLine, PlaceOrder, ReserveStock, StockRefused, StockReserved

from .sources import CHASSIS, OWN, PLATFORM, SCHEMAS, array, field, folder, record

AN_ORDER = {
    "order_id": "01a23b66-ea4b-7a51-8d3e-52c7f0a9b614",
    "customer_id": "C-1042",
    "currency": "EUR",
    "lines": [{"sku": "LAMP-1", "quantity": 2}],
    "placed_at": "2026-12-03T12:15:30.123456+02:00",
}


def test_the_modules_are_as_generated() -> None:
    assert generate.main([str(SCHEMAS.home), "--check"]) == 0
    module, base = CHASSIS / "messages.py", "sagaline.chassis.message:PlatformMessage"
    source = generate.formatted(render_models(PLATFORM, module, base))
    assert module.read_text(encoding="utf-8") == source


def test_a_stale_module_is_found_and_written_anew(tmp_path: Path) -> None:
    shutil.copytree(PLATFORM.avro, tmp_path / "avro")
    module = tmp_path / "messages.py"
    arguments = [str(tmp_path / "avro"), "--module", str(module), "--base", "a.b:Base"]
    assert generate.main([*arguments, "--check"]) == 1
    assert not module.exists()
    assert generate.main(arguments) == 0
    assert generate.main([*arguments, "--check"]) == 0
    module.write_text(module.read_text().replace("str", "int"))
    assert generate.main([*arguments, "--check"]) == 1


def test_a_folder_that_is_no_package_of_schemas_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "avro").mkdir()
    with pytest.raises(SystemExit):
        generate.main([str(tmp_path)])
    assert f"there is no {tmp_path / 'topics.yaml'}" in capsys.readouterr().err
    assert lint.main([str(tmp_path)]) == 1
    assert f"there is no {tmp_path / 'topics.yaml'}" in capsys.readouterr().out


def test_a_record_that_messages_share_is_one_class_and_has_one_definition(tmp_path: Path) -> None:
    line = record(field("sku", "string"), name="x.Line")
    made = folder(tmp_path, record(field("lines", array(line))))
    other = record(field("lines", array(line)), name="x.y.Other")
    (tmp_path / "x.y.Other.avsc").write_text(json.dumps(other))
    source = render_models(made, tmp_path / "m.py", "a.b:Base")
    assert source.count("class Line(Part)") == 1
    (tmp_path / "x.y.Other.avsc").write_text(json.dumps(other).replace("sku", "ean"))
    with pytest.raises(AssertionError, match=r"x\.Line is defined in two ways"):
        render_models(made, tmp_path / "m.py", "a.b:Base")


def test_an_enum_becomes_a_literal_and_a_long_doc_stays_within_the_line(tmp_path: Path) -> None:
    colour = {"type": "enum", "name": "Colour", "symbols": ["RED", "GREEN"]}
    long_doc = field("colour", colour) | {"doc": "One of the two colours. " * 10, "default": "RED"}
    made = folder(tmp_path, record(long_doc))
    source = generate.formatted(render_models(made, tmp_path / "m.py", "a.b:Base"))
    assert 'colour: Literal["RED", "GREEN"] = Field(' in source
    assert 'default="RED"' in source
    assert max(map(len, source.splitlines())) <= 100


def test_no_rule_is_broken() -> None:
    assert list(lint.folder_problems(OWN)) == []
    assert list(lint.folder_problems(PLATFORM)) == []
    assert list(topic_problems(schemas.CATALOG.topics.values(), OWN.schemas())) == []


def test_the_catalog_knows_each_message_its_topic_and_its_schemas() -> None:
    catalog: Catalog = schemas.CATALOG
    assert catalog.messages.keys() == OWN.schemas().keys()
    for name, message in catalog.messages.items():
        assert name in catalog.topic_of(name).messages
        assert catalog.writer_schema(message.fingerprint) == catalog.reader_schema(name)
        assert fingerprint(dict(catalog.reader_schema(name))) == message.fingerprint
    with pytest.raises(KeyError):
        catalog.topic_of("sagaline.Notice")  # stands on several
    with pytest.raises(KeyError):
        catalog.writer_schema(bytes(8))


def test_fingerprints_are_those_of_the_specification() -> None:
    # Avro 1.12, "Schema Fingerprints": the fingerprint of "null" is 0x63dd24e7cc258f8a.
    assert fingerprint({"type": "null"}) == 0x63DD24E7CC258F8A.to_bytes(8, "little")


def test_outcome_and_replies_come_from_the_schema() -> None:
    assert ReserveStock.replies == (StockReserved.avro_name, StockRefused.avro_name)
    assert (StockReserved.outcome, StockRefused.outcome) == ("succeeded", "refused")
    assert PlaceOrder.outcome is None
    assert PlaceOrder.replies == ()
    assert {message.avro_name for message in platform.MESSAGES} == PLATFORM.schemas().keys()


def test_a_message_is_immutable_and_its_times_are_utc() -> None:
    order = PlaceOrder.model_validate(AN_ORDER)
    assert order.placed_at.isoformat() == "2026-12-03T10:15:30.123456+00:00"
    assert order.lines == (OrderLine(sku="LAMP-1", quantity=2),)
    with pytest.raises(ValidationError):
        order.currency = "USD"  # type: ignore[misc]
    assert hash(order) == hash(PlaceOrder.model_validate(AN_ORDER))


@pytest.mark.parametrize(
    "field, value",
    [
        ("placed_at", "2026-12-03T12:15:30"),  # no time zone
        ("order_id", "A-1"),
        ("lines", [{"sku": "LAMP-1", "quantity": 2**31}]),
        ("coupon", "X"),
    ],
)
def test_what_avro_could_not_write_is_no_message(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        PlaceOrder.model_validate({**AN_ORDER, field: value})


def test_the_models_say_what_the_schemas_say() -> None:
    properties: Mapping[str, Mapping[str, object]] = StockRefused.model_json_schema()["properties"]
    for source in OWN.schemas()["inventory.replies.StockRefused"]["fields"]:
        assert properties[source["name"]]["description"] == source["doc"]
