"""Each version of a message reads, and is read by, every other one."""

from pathlib import Path

import pytest

from sagaline.avro.evolution import evolution_problems, unreadable
from sagaline.avro.folder import Avro, Schema

from .sources import array, field, folder, record

TEXT = field("text", "string")
OPTIONAL = field("note", ["null", "string"]) | {"default": None}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
COLOUR = {"type": "enum", "name": "Colour", "symbols": ["RED", "GREEN"]}


def thing(avro: Avro) -> Schema:
    return record(field("part", avro))


def test_a_field_with_a_default_may_come_and_go(tmp_path: Path) -> None:
    with_note, without = record(TEXT, OPTIONAL), record(TEXT)
    assert list(evolution_problems(folder(tmp_path, without, without, with_note))) == []


@pytest.mark.parametrize(
    "older, newer",
    [
        (record(TEXT), record(TEXT, field("more", "string"))),
        (thing("int"), thing("long")),
        (thing("string"), thing(["null", "string"])),
        (thing(MICROS), thing(MILLIS)),  # one fingerprint, two meanings
        (thing({"type": "string", "logicalType": "uuid"}), thing("string")),
        (thing(COLOUR), thing(COLOUR | {"symbols": ["RED", "GREEN", "BLUE"]})),
        (thing(array(record(TEXT, name="In"))), thing(array(record(name="In")))),
        (thing(array("string")), thing("string")),
        (thing(record(TEXT, name="In")), thing(record(TEXT, name="Out"))),
        (
            record(TEXT) | {"sagaline.outcome": "refused"},
            record(TEXT) | {"sagaline.outcome": "undone"},
        ),
    ],
)
def test_a_change_that_only_one_side_could_read_is_found(
    older: Schema, newer: Schema, tmp_path: Path
) -> None:
    assert list(unreadable(older, newer)) or list(unreadable(newer, older))
    assert list(evolution_problems(folder(tmp_path, newer, older)))


def test_every_version_counts_not_only_the_last(tmp_path: Path) -> None:
    # Each reads its neighbour, and is read by it; the first and the last are strangers.
    text = record(field("part", "string") | {"default": ""})
    number = record(field("part", "long") | {"default": 0})
    assert list(evolution_problems(folder(tmp_path, number, text, record()))) == [
        "x.y.Thing: 1 can't read current: it.part was long and is read as string",
        "x.y.Thing: current can't read 1: it.part was string and is read as long",
    ]


def test_a_released_message_does_not_go(tmp_path: Path) -> None:
    made = folder(tmp_path, record(TEXT), record(TEXT))
    (made.avro / "x.y.Thing.avsc").unlink()
    assert "was released and is gone" in "\n".join(evolution_problems(made))
