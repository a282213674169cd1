"""The page of all HTTP operations says what the services say."""

from deploy import http_reference


def test_the_page_is_what_the_documents_give() -> None:
    page = http_reference.page()
    assert http_reference.PAGE.read_text() == page, "run `python -m deploy.http_reference`"
    headings = [line for line in page.splitlines() if line.startswith("### ")]
    # What all services have stands there once; an order is one service's and another's.
    for heading in ("GET /livez", "POST /dlq/redrive", "POST /orders", "PUT /stock/{sku}"):
        assert headings.count(f"### {heading}") == 1, heading
    assert headings.count("### GET /orders/{order_id}") == 2
