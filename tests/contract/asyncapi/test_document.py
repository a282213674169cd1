"""The AsyncAPI document of the platform: whole, and right by AsyncAPI's own parser."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import schemas
from sagaline.local import cache
from tests.contract.sources import OWN, PLATFORM

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[2] / "docs" / "reference" / "asyncapi.yaml"
FILES = ("package.json", "package-lock.json", "validate.js")
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    return found


@pytest.fixture(scope="session")
def parser() -> Path:
    """AsyncAPI's parser, installed once a machine. Without node or a registry: skipped."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("AsyncAPI's own parser needs node and npm, and they are not here")
    pins = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    folder = cache.directory() / f"asyncapi-{pins[:12]}"
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in FILES:
            shutil.copy(HERE / name, folder)
        done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"AsyncAPI's own parser can't be installed: {done.stderr[-300:]}")
        (folder / "installed").touch()
    return folder


def test_asyncapis_own_parser_finds_no_error_in_it(parser: Path) -> None:
    done = validated(parser, DOCUMENT)
    assert done.returncode == 0, done.stdout
    assert f"{len(schemas.CATALOG.topics)} channels" in done.stdout


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (("#/components/messages/sagaline.Notice", "#/components/messages/nobody"), "nobody"),
        (("type: long", "type: lang"), "payload.schema.fields"),
    ],
    ids=["a message that isn't there", "a type that Avro doesn't have"],
)
def test_what_is_wrong_is_found(
    parser: Path, tmp_path: Path, wrong: tuple[str, str], complaint: str
) -> None:
    text = DOCUMENT.read_text()
    assert wrong[0] in text
    (tmp_path / "wrong.yaml").write_text(text.replace(*wrong))
    done = validated(parser, tmp_path / "wrong.yaml")
    assert done.returncode == 1
    assert complaint in done.stdout


def test_every_topic_is_there_with_its_writer_and_readers(document: dict[str, Any]) -> None:
    assert list(document["channels"]) == list(schemas.CATALOG.topics)
    said = {
        (each["action"], name.partition(".")[0], each["channel"]["$ref"].rpartition("/")[2])
        for name, each in document["operations"].items()
    }
    topics = schemas.CATALOG.topics.values()
    writers = {("send", topic.owner, topic.name) for topic in topics}
    assert said == writers | {
        ("receive", reader, topic.name) for topic in topics for reader in topic.readers
    }


def test_each_message_has_an_example(document: dict[str, Any]) -> None:
    for name, message in document["components"]["messages"].items():
        (example,) = message["examples"]
        folder = OWN if name in OWN.schemas() else PLATFORM
        assert example["payload"] == folder.example(name)


def test_who_receives_commands_names_all_replies(document: dict[str, Any]) -> None:
    receives = document["operations"]["inventory_service.receive.inventory.commands.v1"]
    replies = {each["$ref"].rpartition("/")[2] for each in receives["reply"]["messages"]}
    family = "inventory.replies"
    assert replies == {
        f"{family}.{name}"
        for name in ("StockReserved", "StockRefused", "StockReleased", "StockCommitted")
    }


def validated(parser: Path, file: Path) -> "subprocess.CompletedProcess[str]":
    command = ["node", "validate.js", str(file)]
    return subprocess.run(
        command, cwd=parser, capture_output=True, text=True, timeout=60, check=False
    )
