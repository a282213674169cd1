"""The page of all HTTP operations says what the services say."""

from deploy import http_reference


def test_the_page_is_what_the_documents_give() -> None:
    assert http_reference.PAGE.read_text() == http_reference.page(), (
        "run `python -m deploy.http_reference`"
    )


def test_the_page_names_every_operation_once_where_it_belongs() -> None:
    page = http_reference.page()
    for heading in ("### POST /orders\n", "### PUT /stock/{sku}\n", "### GET /sagas\n"):
        assert page.count(heading) == 1, heading
    assert page.count("### GET /livez\n") == 1
    assert page.count("### POST /dlq/redrive\n") == 1
