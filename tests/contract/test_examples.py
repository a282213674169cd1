"""Examples of every message ever released still decode, and to the same message."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import schemas
from sagaline.avro.folder import Folder, Version, fingerprint, read_json
from sagaline.avro.release import new_versions
from sagaline.chassis import messages as platform
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import Envelope

from .sources import OWN, PLATFORM

CODEC = Codec(schemas.CATALOG)
TYPES: Mapping[str, type[Message]] = {  # the Protocol, as the chassis sees them
    **schemas.CATALOG.messages,
    **{message.avro_name: message for message in platform.MESSAGES},
}
FOLDERS = [(folder, name) for folder in (OWN, PLATFORM) for name in folder.schemas()]
RELEASED = [(folder, name, v) for folder, name in FOLDERS for v in folder.versions(name)]


@pytest.mark.parametrize("folder, name", FOLDERS, ids=[name for _, name in FOLDERS])
def test_an_example_is_a_message_and_survives_the_wire(folder: Folder, name: str) -> None:
    example = folder.example(name)
    message = TYPES[name].model_validate(example)
    assert json.loads(message.model_dump_json()) == example
    assert CODEC.decode(CODEC.encode(message)) == message


@pytest.mark.parametrize(
    "folder, name, version", RELEASED, ids=[f"{name}-{v.number}" for _, name, v in RELEASED]
)
def test_the_bytes_of_a_release_are_read_by_this_one(
    folder: Folder, name: str, version: Version
) -> None:
    kept = read_json(version.example_file)
    encoded = bytes.fromhex(kept["encoded"])
    message = CODEC.decode(encoded)
    assert message == TYPES[name].model_validate(kept["message"], extra="ignore")
    if TYPES[name].fingerprint == fingerprint(version.schema):
        assert CODEC.encode(message) == encoded


def test_what_is_released_is_numbered_without_gaps() -> None:
    assert RELEASED
    for folder, name in FOLDERS:
        numbers = [version.number for version in folder.versions(name)]
        assert numbers == list(range(1, len(numbers) + 1))
    assert not list(new_versions(PLATFORM)), "run `python -m sagaline.avro.release` for these, too"


@pytest.mark.parametrize("file", sorted(OWN.examples.glob("headers/*.json")), ids=lambda f: f.stem)
def test_example_headers_are_an_envelope(file: Path) -> None:
    headers = read_json(file)
    envelope = Envelope.parse([(name, text.encode()) for name, text in headers.items()])
    assert envelope.headers() == headers
    assert schemas.CATALOG.topic_of(envelope.type).owner == envelope.source.removeprefix("/")
