"""What ~/.m2/settings.xml says about getting to Maven Central: its mirror, a proxy, a login.

jgo itself reads none of it. Environment variables (HTTPS_PROXY and so on) go before the file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

NO_SETTINGS = ET.Element("settings")


def central() -> str:
    """Give the address that stands for Maven Central: a mirror's, with its login, or its own."""
    settings = _settings()
    for mirror in settings.iterfind("{*}mirrors/{*}mirror"):
        if _mirrors_central(_text(mirror, "mirrorOf")):
            return _with_login(settings, _text(mirror, "url").rstrip("/"), _text(mirror, "id"))
    # Here, since it is seldom needed: no command is to wait for it.
    from jgo.constants import MAVEN_CENTRAL_URL

    return MAVEN_CENTRAL_URL


def local_repository() -> Path:
    """Give Maven's own cache, which may hold jars already; it may not exist."""
    configured = os.environ.get("M2_REPO") or _text(_settings(), "localRepository")
    return Path(configured) if configured else Path.home() / ".m2" / "repository"


@contextmanager
def proxies() -> Iterator[None]:
    """Inside, downloads of this process go through the proxy of the file."""
    added = proxy_variables()
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def proxy_variables() -> dict[str, str]:
    """Give the file's proxy as environment variables, without those that are set already."""
    for proxy in _settings().iterfind("{*}proxies/{*}proxy"):
        if _text(proxy, "active") == "false":
            continue
        user, password = _text(proxy, "username"), _text(proxy, "password")
        login = f"{quote(user)}:{quote(password)}@" if user else ""
        address = f"http://{login}{_text(proxy, 'host')}:{_text(proxy, 'port') or '8080'}"
        direct = _text(proxy, "nonProxyHosts").replace("|", ",").replace("*.", ".")
        wanted = {"http_proxy": address, "https_proxy": address, "no_proxy": direct}
        return {
            name: value
            for name, value in wanted.items()
            if name not in os.environ and name.upper() not in os.environ
        }
    return {}


def _mirrors_central(mirror_of: str) -> bool:
    wanted = [part.strip() for part in mirror_of.split(",")]
    if "!central" in wanted:
        return False
    return any(part in ("*", "central", "external:*") for part in wanted)


def _with_login(settings: ET.Element, url: str, server_id: str) -> str:
    for server in settings.iterfind("{*}servers/{*}server"):
        if _text(server, "id") == server_id and _text(server, "username"):
            parts = urlsplit(url)
            login = f"{quote(_text(server, 'username'))}:{quote(_text(server, 'password'))}"
            return parts._replace(netloc=f"{login}@{parts.netloc}").geturl()
    return url


def _settings() -> ET.Element:
    path = Path.home() / ".m2" / "settings.xml"
    # The file is the user's own, as trusted as this program.
    return ET.parse(path).getroot() if path.exists() else NO_SETTINGS  # noqa: S314


def _text(parent: ET.Element, name: str) -> str:
    return (parent.findtext(f"{{*}}{name}") or "").strip()
