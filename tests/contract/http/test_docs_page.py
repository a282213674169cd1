"""/docs of every service is whole without a network: nothing on it comes from elsewhere."""

import re
from typing import Final
from urllib.parse import urljoin

import httpx
import pytest

from tests.contract.http.sides import Side, sides

# Quoted in HTML, or in the script that starts Swagger UI.
REFERENCE: Final = re.compile(r"""(?:src=|href=|url: )["']([^"']+)["']""")
PAGE: Final = "http://here/docs"


@pytest.mark.parametrize("side", sides(), ids=lambda side: side.name)
async def test_a_service_serves_all_that_its_page_refers_to(side: Side) -> None:
    transport = httpx.ASGITransport(app=side.app)
    async with httpx.AsyncClient(transport=transport) as client:
        page = await client.get(PAGE)
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]
        found = REFERENCE.findall(page.text)
        assert len(found) == 4, found  # script, style, icon, document
        for reference in found:
            whole = urljoin(PAGE, reference)
            assert whole.startswith("http://here/"), f"{reference} is elsewhere"
            answer = await client.get(whole)
            assert answer.status_code == 200, whole
            assert answer.content


async def test_a_file_that_is_not_there_is_a_problem() -> None:
    transport = httpx.ASGITransport(app=sides()[0].app)
    async with httpx.AsyncClient(transport=transport) as client:
        answer = await client.get("http://here/docs/no-such-file.js")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
