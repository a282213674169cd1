"""One project of compose.yaml for all tests here, gone at their end, with its volumes."""

import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest

from sagaline.local.client import Client
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.platform_config import PlatformConfig
from sagaline.testing.platform import Platform
from tests.containers.compose.composed import Composed


@pytest.fixture(scope="session")
def composed(platform_config: PlatformConfig) -> Iterator[Composed]:
    """All of it is up and healthy, from an image of this checkout."""
    asked = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        pytest.skip(f"no Docker engine answers: {asked.stderr.strip()[-200:]}")
    found = Composed(platform_config, random.SystemRandom())
    found.compose("build", "--quiet")
    try:
        print(f"up in {found.up():.1f} s")  # noqa: T201 - shown when a test fails
        yield found
    finally:
        found.down("--volumes")
    assert found.volumes() == []


@pytest.fixture
async def platform(composed: Composed) -> AsyncIterator[Platform]:
    """What orders are placed on."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    composed.look()
    async with Client(composed.urls, composed.operator_urls) as client:
        # It has no processes of ours in it: what would take one down isn't asked for here.
        yield Platform(cast("EmbeddedPlatform", composed), client, seed=seed)
