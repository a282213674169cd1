"""Jars come whole and as pinned, or not at all; from a Maven repository on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sagaline.local import kafka_jars, maven_settings
from sagaline.local.errors import DownloadFailed, WrongJarHash
from sagaline.local.kafka_jars import Pin

JAR = b"PK, as far as anybody here looks" * 1000
PIN = Pin(hashlib.sha256(JAR).hexdigest(), "org.example", "lamp", "1.0")
PATH = "/mirror/org/example/lamp/1.0/lamp-1.0.jar"
LOGIN = "Basic dTpw"  # u:p
SETTINGS = """
<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0">
  <mirrors><mirror><id>house</id><mirrorOf>external:*</mirrorOf><url>{url}</url></mirror></mirrors>
  <servers><server><id>house</id><username>u</username><password>p</password></server></servers>
</settings>
"""


class Repository(ThreadingHTTPServer):
    """Serves one jar; says who asked."""

    content = JAR
    sent_bytes_max = len(JAR)

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str] = []
        self.logins: list[str | None] = []


class Answer(BaseHTTPRequestHandler):
    """The jar, or the part of it that the repository sends before the line is cut."""

    server: Repository

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.logins.append(self.headers["Authorization"])
        self.send_response(200 if self.path == PATH else 404)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: self.server.sent_bytes_max])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        pass


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A mirror that ~/.m2/settings.xml names."""
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (tmp_path / ".m2").mkdir()
        url = f"http://127.0.0.1:{server.server_port}/mirror"
        (tmp_path / ".m2" / "settings.xml").write_text(SETTINGS.format(url=url))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("M2_REPO", raising=False)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def jars(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "jars"


def bring(jars: Path) -> list[str]:
    said: list[str] = []
    kafka_jars.bring([PIN], jars, said.append)
    return said


def test_a_jar_comes_from_the_mirror_with_its_login_and_is_not_asked_for_again(
    repository: Repository, jars: Path
) -> None:
    assert bring(jars) == ["  1 of 1: lamp-1.0.jar"]
    assert (jars / "lamp-1.0.jar").read_bytes() == JAR
    assert repository.asked[0] == PATH
    assert repository.logins[0] == LOGIN
    repository.asked.clear()
    assert bring(jars) == []
    assert repository.asked == []


def test_a_jar_of_another_hash_is_refused_and_never_lies_in_the_cache(
    repository: Repository, jars: Path
) -> None:
    repository.content = JAR[:-1] + b"!"
    with pytest.raises(WrongJarHash, match=PIN.sha256):
        bring(jars)
    assert list(jars.iterdir()) == []
    repository.content = JAR
    bring(jars)
    assert (jars / "lamp-1.0.jar").read_bytes() == JAR


def test_an_interrupted_download_is_told_and_done_again(repository: Repository, jars: Path) -> None:
    repository.sent_bytes_max = 100
    with pytest.raises(DownloadFailed, match=r"lamp-1\.0\.jar"):
        bring(jars)
    assert list(jars.iterdir()) == []
    repository.sent_bytes_max = len(JAR)
    bring(jars)
    assert (jars / "lamp-1.0.jar").read_bytes() == JAR


def test_a_jar_that_maven_has_already_is_taken_from_there(
    repository: Repository, jars: Path, tmp_path: Path
) -> None:
    local = tmp_path / ".m2" / "repository" / "org/example/lamp/1.0"
    local.mkdir(parents=True)
    (local / "lamp-1.0.jar").write_bytes(JAR)
    bring(jars)
    assert repository.asked == []


def test_without_a_network_the_error_names_jar_and_settings(
    jars: Path, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / ".m2" / "settings.xml").write_text(SETTINGS.format(url="http://127.0.0.1:1/"))
    with pytest.raises(DownloadFailed, match=r"lamp-1\.0\.jar.*[\s\S]*settings\.xml"):
        bring(jars)


@pytest.mark.parametrize(
    "mirror_of, mirrored",
    [("central", True), ("*", True), ("*,!central", False), ("snapshots", False)],
)
def test_only_a_mirror_of_central_stands_for_it(
    mirror_of: str, mirrored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".m2").mkdir()
    text = SETTINGS.format(url="http://mirror.example/").replace("external:*", mirror_of)
    (tmp_path / ".m2" / "settings.xml").write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ("mirror.example" in maven_settings.central()) == mirrored


def test_the_files_proxy_is_used_unless_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = (
        "<proxy><host>proxy.example</host><port>3128</port>"
        "<nonProxyHosts>*.house|localhost</nonProxyHosts></proxy>"
    )
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(
        f"<settings><proxies>{proxy}</proxies></settings>"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert maven_settings.proxy_variables() == {
        "http_proxy": "http://proxy.example:3128",
        "https_proxy": "http://proxy.example:3128",
        "no_proxy": ".house,localhost",
    }
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example:8080")
    assert "https_proxy" not in maven_settings.proxy_variables()


def test_every_pinned_jar_has_a_hash_of_its_own() -> None:
    pins = kafka_jars.pins()
    assert any(pin.artifact == "kafka_2.13" for pin in pins)
    assert len({pin.sha256 for pin in pins}) == len({pin.filename for pin in pins}) == len(pins)
    assert all(len(pin.sha256) == 64 for pin in pins)
