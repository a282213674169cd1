"""A record as text: what people and programs see of it."""

import json

from hypothesis import given
from hypothesis import strategies as st

import schemas
from sagaline.chassis.log_records import LogRecord
from sagaline.local.topics import rendering
from sagaline.local.topics.decoding import Decoded, Decoder, blanked
from tests.unit.topics.records import KEY, MESSAGE_ID, SAGA_ID, VALUE, a_record, headers

DECODER, REDACTING = Decoder(schemas.CATALOG), Decoder(schemas.CATALOG, redact=True)
UNKNOWN = b"\xc3\x01" + bytes(8)


def line(record: LogRecord) -> str:
    return rendering.line(DECODER.decode(record))


def document(decoded: Decoded) -> dict[str, object]:
    shown = json.loads(rendering.compact(rendering.document(decoded)))
    assert isinstance(shown, dict)
    return shown


def test_a_line_has_coordinates_times_the_short_envelope_and_the_payload() -> None:
    assert line(a_record()) == (
        f"3:120 2026-11-22T10:30:00.017Z key={KEY} type=payments.commands.AuthorizePayment "
        f"id={MESSAGE_ID} source=/saga_orchestrator time=2026-11-22T10:30:00.005000Z "
        f"saga={SAGA_ID} step=authorize_payment direction=action generation=1 "
        f'{{"order_id": "{KEY}", "customer_id": "ada", "amount_minor": 4900, "currency": "EUR"}}'
    )


def test_a_subject_that_is_not_the_key_and_headers_of_others_are_shown() -> None:
    shown = line(a_record(headers=(*headers(subject="somebody-else"), ("x-from", b"by hand"))))
    assert "ce_subject=somebody-else" in shown
    assert "x-from=by hand" in shown


def test_a_document_has_every_header_under_its_own_name_and_is_one_line() -> None:
    twice = (*headers(), ("x", b"1"), ("x", None))
    shown = document(DECODER.decode(a_record(headers=twice)))
    assert (shown["topic"], shown["partition"], shown["offset"]) == ("payments.commands.v1", 3, 120)
    given_headers = shown["headers"]
    assert isinstance(given_headers, dict)
    assert given_headers["ce_specversion"] == "1.0"
    assert given_headers["x"] == ["1", None]
    payload = shown["payload"]
    assert isinstance(payload, dict)
    assert payload["amount_minor"] == 4_900
    assert "error" not in shown


def test_what_cannot_be_decoded_is_hex_with_the_reason_and_has_an_end() -> None:
    shown = line(a_record(value=UNKNOWN + bytes(1_000)))
    assert "UNDECODABLE No schema with fingerprint 0000000000000000 is known here" in shown
    assert "1010 bytes: c301" in shown
    assert shown.endswith("00...")
    assert len(shown) < 1_000


def test_a_record_without_a_value_is_no_error() -> None:
    shown = document(DECODER.decode(a_record(value=None)))
    assert (shown["payload"], "error" in shown) == (None, False)


def test_a_record_that_the_client_cannot_read_has_its_coordinates_and_the_reason() -> None:
    unread = LogRecord("payments.commands.v1", 3, 121, unread="a header's name is no UTF-8")
    assert line(unread) == "3:121 - key=- type=- UNDECODABLE a header's name is no UTF-8"


def test_personal_data_is_blank_where_that_is_asked_for_and_nothing_else_is() -> None:
    payload = REDACTING.decode(a_record()).payload
    assert payload == {
        "order_id": KEY,
        "customer_id": "(redacted)",
        "amount_minor": 4_900,
        "currency": "EUR",
    }
    hidden = rendering.line(REDACTING.decode(a_record(value=UNKNOWN + b"ada")))
    assert b"ada".hex() not in hidden


def test_each_field_that_a_schema_calls_personal_is_blanked() -> None:
    for name, message in schemas.CATALOG.messages.items():
        fields = schemas.CATALOG.reader_schema(name)["fields"]
        assert isinstance(fields, list)
        personal = {f["name"] for f in fields if "sagaline.pii" in f}
        payload = dict.fromkeys(message.model_fields, "x")
        shown = blanked(payload, schemas.CATALOG.reader_schema(name))
        assert isinstance(shown, dict)
        assert {field for field, value in shown.items() if value == "(redacted)"} == personal


TEXTS = st.text(max_size=20)


@given(
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=100) | st.binary(max_size=20).map(lambda b: VALUE + b),
    names=st.lists(
        st.tuples(
            TEXTS | st.sampled_from(["ce_type", "ce_id"]), st.none() | st.binary(max_size=20)
        ),
        max_size=5,
    ),
)
def test_any_record_is_shown_without_control_characters(
    key: bytes | None, value: bytes | None, names: list[tuple[str, bytes | None]]
) -> None:
    decoded = DECODER.decode(a_record(key=key, value=value, headers=tuple(names)))
    assert rendering.line(decoded).isprintable()
    assert rendering.compact(rendering.document(decoded)).isprintable()
    assert all(text.replace("\n", "").isprintable() for _, text in rendering.block(decoded))
    document(decoded)
