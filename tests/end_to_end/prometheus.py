"""A Prometheus that watches a platform: the real server, with the real alerts, only quicker."""

import asyncio
import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import yaml

from sagaline.local.ports import LOOPBACK, free_port
from tests.contract.observability.promtool import FOLDER

Labels: TypeAlias = Mapping[str, str]

MISSING = "prometheus is not installed: it is in Debian's package `prometheus`"
WITHIN_S = 60.0
POLL_S = 0.25


class Prometheus:
    """Asks a Prometheus that runs."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def query(self, query: str) -> list[dict[str, Any]]:
        """What the query gives now; fails where Prometheus can't answer it."""
        answer = await self._http.get("/api/v1/query", params={"query": query})
        document = answer.json()
        assert document["status"] == "success", (query, document)
        result: list[dict[str, Any]] = document["data"]["result"]
        return result

    async def firing(self) -> list[Labels]:
        """The labels of all alerts that fire now, `alertname` among them."""
        answer = await self._http.get("/api/v1/alerts")
        alerts = answer.raise_for_status().json()["data"]["alerts"]
        return [each["labels"] for each in alerts if each["state"] == "firing"]

    async def watches(self, services: int) -> None:
        """All of the services are scraped, and the rules were looked at."""
        deadline_s = time.monotonic() + WITHIN_S
        while not await self._sees(services):
            assert time.monotonic() < deadline_s, "Prometheus doesn't see the platform"
            await asyncio.sleep(POLL_S)

    async def fires(self, alert: str, *, service: str, now: bool = True) -> None:
        """Wait until the alert fires for the service, or does not any more."""
        deadline_s = time.monotonic() + WITHIN_S
        while await self._is_firing(alert, service) is not now:
            assert time.monotonic() < deadline_s, f"{alert} of {service}: {await self.firing()}"
            await asyncio.sleep(POLL_S)

    async def _is_firing(self, alert: str, service: str) -> bool:
        wanted = {"alertname": alert, "service": service}
        return any(wanted.items() <= labels.items() for labels in await self.firing())

    async def _sees(self, services: int) -> bool:
        try:
            if not (await self._http.get("/-/ready")).is_success:
                return False
        except httpx.TransportError:  # it starts
            return False
        up = await self.query("count(up == 1)")
        rules = (await self._http.get("/api/v1/rules")).json()["data"]["groups"]
        looked = all(rule["health"] == "ok" for group in rules for rule in group["rules"])
        return bool(up) and int(up[0]["value"][1]) == services and bool(rules) and looked


@contextmanager
def running(folder: Path, urls: Mapping[str, str], rng: random.Random) -> Iterator[str]:
    """A Prometheus that scrapes these services each two seconds; its URL."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip(MISSING)
    (folder / "alerts.yaml").write_text(json.dumps(_hasty_alerts()))
    (folder / "prometheus.yaml").write_text(json.dumps(_configuration(urls)))
    address = f"{LOOPBACK}:{free_port(rng)}"
    command = [
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as own,
    ):
        try:
            yield f"http://{address}"
        finally:
            own.terminate()


def _hasty_alerts() -> dict[str, Any]:
    """The alerts as they are, but for how long a condition has to last."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    return document


def _configuration(urls: Mapping[str, str]) -> dict[str, Any]:
    targets = [
        {"targets": [url.removeprefix("http://")], "labels": {"service": service}}
        for service, url in urls.items()
    ]
    return {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [{"job_name": "sagaline", "static_configs": targets}],
    }
