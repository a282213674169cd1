"""Whatever bytes arrive, decoding ends soon, with a message or with one of two errors."""

import json
import tracemalloc
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from sagaline.avro.folder import Avro, Schema, fingerprint
from sagaline.avro.package import Package
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import HEADER_BYTES, Codec, fastavro_shape
from sagaline.chassis.errors import UndecodableRecord, UnknownFingerprint
from sagaline.chassis.messages import MESSAGES, Notice
from schemas.messages import PlaceOrder, RejectOrder, ReserveStock, StockRefused

OWN = Package(Path(str(files("schemas")))).folder
CODEC = Codec(schemas.CATALOG)
ORDER_ID = UUID("01a23b66-ea4b-7a51-8d3e-52c7f0a9b614")
REJECT = CODEC.encode(RejectOrder(order_id=ORDER_ID))
REFUSAL = StockRefused(order_id=ORDER_ID, sku="LAMP-1", code="out_of_stock", detail="3 are left.")


def long(number: int) -> bytes:
    """An Avro long: zigzag, seven bits a byte."""
    zigzag = ((number << 1) ^ (number >> 63)) & (2**64 - 1)
    out = bytearray()
    while zigzag >= 0x80:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*out, zigzag])


def body(message: type[Message], *parts: bytes) -> bytes:
    """The bytes of a record whose body somebody else made up."""
    return b"\xc3\x01" + message.fingerprint + b"".join(parts)


def text(value: bytes) -> bytes:
    return long(len(value)) + value


def examples() -> list[Message]:
    platform = Path(__file__).parents[3] / "sagaline/chassis/avro/examples"
    files = [platform / f"{message.avro_name}.json" for message in MESSAGES]
    own = [m.model_validate(OWN.example(name)) for name, m in schemas.CATALOG.messages.items()]
    read = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return [*own, *(m.model_validate(part) for m, part in zip(MESSAGES, read, strict=True))]


def without_shapes() -> Codec:
    """A codec that leaves all to fastavro, as it does with other types than messages have."""
    codec = Codec(schemas.CATALOG)
    for message in examples():
        writer, schema = codec._writer(message.fingerprint), codec._schema(message.fingerprint)
        codec._writers[message.fingerprint] = writer._replace(shape=fastavro_shape(schema))
    return codec


ENCODED = [CODEC.encode(message) for message in examples()]
CODECS = st.sampled_from([CODEC, without_shapes()])


def test_a_message_is_marker_fingerprint_and_body() -> None:
    assert REJECT[:2] == b"\xc3\x01"
    assert REJECT[2:HEADER_BYTES] == RejectOrder.fingerprint
    assert REJECT[HEADER_BYTES:] == text(str(ORDER_ID).encode())
    assert CODEC.decode(REJECT) == RejectOrder(order_id=ORDER_ID)


def test_the_platforms_own_messages_need_no_catalog() -> None:
    nothing = Codec(replace(schemas.CATALOG, messages={}, writers={}, topics={}))
    notice = Notice(code="undo_noop", detail="Nothing was there to undo.")
    assert nothing.decode(CODEC.encode(notice)) == notice
    with pytest.raises(UnknownFingerprint):
        nothing.decode(REJECT)


def test_an_unknown_fingerprint_is_told_from_bad_bytes() -> None:
    # The one is mended by a newer release of the schemas, the other by nothing.
    with pytest.raises(UnknownFingerprint, match="0102030405060708"):
        CODEC.decode(b"\xc3\x01" + bytes(range(1, 9)) + b"body")


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "no single-object encoding"),
        (REJECT[:HEADER_BYTES][:-1], "no single-object encoding"),
        (b"\x00" + REJECT[1:], "no single-object encoding"),  # as a schema registry frames it
        (b'{"order_id": "A"}', "no single-object encoding"),
        (REJECT + b"\x00", "1 bytes too many"),
        (REJECT + REJECT, "47 bytes too many"),
        (REJECT[:-1], "EOFError"),
        (body(RejectOrder), "IndexError"),
        (body(RejectOrder, b"\xff" * 20), "more than ten bytes"),  # a number that does not end
        (body(RejectOrder, text(b"not a uuid")), "ValueError"),
        (body(RejectOrder, text(b"\xff\xfe")), "UnicodeDecodeError"),
        (body(RejectOrder, long(-1), b"abc"), "EOFError"),
        (body(RejectOrder, long(2**62), b"abc"), "EOFError"),
        (body(RejectOrder, long(-(2**63)), b"abc"), "EOFError"),
        (bytes(262_145), "262145 bytes, more than 262144"),
    ],
)
def test_bytes_that_are_no_message(data: bytes, reason: str) -> None:
    with pytest.raises(UndecodableRecord, match=reason):
        CODEC.decode(data)


@pytest.mark.parametrize("count", [2**62, -(2**62), -(2**63), 2**31, -1])
def test_a_count_of_items_that_are_not_there(count: int) -> None:
    claimed = long(count) + (long(2**62) if count < 0 else b"")
    order = (text(str(ORDER_ID).encode()), text(b"EUR"), claimed)
    with pytest.raises(UndecodableRecord):
        CODEC.decode(body(ReserveStock, *order, text(b"LAMP-1"), long(1)))


def test_blocks_as_other_writers_make_them_are_read() -> None:
    one, two = text(b"LAMP-1") + long(2), text(b"BULB-E27") + long(4)
    blocks = (long(1), one, long(-1), long(len(two)), two, long(0))
    reserve = CODEC.decode(body(ReserveStock, text(str(ORDER_ID).encode()), text(b"EUR"), *blocks))
    assert isinstance(reserve, ReserveStock)
    assert [(line.sku, line.quantity) for line in reserve.lines] == [("LAMP-1", 2), ("BULB-E27", 4)]


def test_numbers_and_times_beyond_their_type() -> None:
    head = (text(str(ORDER_ID).encode()), text(b"EUR"), long(1), text(b"LAMP-1"))
    with pytest.raises(UndecodableRecord, match="less than 2147483648"):
        CODEC.decode(body(ReserveStock, *head, long(2**31), long(0)))
    order = (text(str(ORDER_ID).encode()), text(b"C"), text(b"EUR"), long(0))
    with pytest.raises(UndecodableRecord, match="OverflowError"):
        CODEC.decode(body(PlaceOrder, *order, long(2**63 - 1)))


def test_the_most_that_a_record_may_cost() -> None:
    # Lines of two bytes each, as many as a record may hold: the dearest bytes that there are.
    head = body(ReserveStock, text(str(ORDER_ID).encode()), text(b"EUR"))
    lines = (262_144 - len(head) - 4) // 2
    data = head + long(lines) + b"\x00\x00" * lines + long(0)
    assert peak_bytes(data) < 128 * 2**20


def peak_bytes(data: bytes, codec: Codec = CODEC) -> int:
    """The memory that decoding takes, whatever comes of it."""
    tracemalloc.start()
    try:
        codec.decode(data)
    except (UndecodableRecord, UnknownFingerprint):
        pass  # as good as a message
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


numbers = st.one_of(st.integers(-3, 300), st.sampled_from([2**31, 2**62, -(2**62), -(2**63)]))
pieces = st.one_of(st.binary(max_size=12), numbers.map(long))
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), pieces), min_size=1, max_size=4)


@settings(max_examples=1_000, deadline=500)
@given(CODECS, st.sampled_from(ENCODED), edits)
def test_any_damage_ends_in_a_message_or_an_error(
    codec: Codec, data: bytes, edits: list[tuple[float, int, bytes]]
) -> None:
    for where, cut, piece in edits:
        at = HEADER_BYTES + int(where * max(len(data) - HEADER_BYTES, 0))
        data = data[:at] + piece + data[at + cut :]
    assert peak_bytes(data, codec) < 2**20 + 500 * len(data)
    try:
        message = codec.decode(data)
    except (UndecodableRecord, UnknownFingerprint):
        return
    assert codec.decode(codec.encode(message)) == message


@settings(max_examples=500, deadline=500)
@given(CODECS, st.sampled_from(ENCODED), st.binary(max_size=300))
def test_any_body_ends_in_a_message_or_an_error(codec: Codec, data: bytes, content: bytes) -> None:
    assert peak_bytes(data[:HEADER_BYTES] + content, codec) < 2**20 + 500 * len(content)


@settings(max_examples=500, deadline=500)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_message_or_an_error(data: bytes) -> None:
    assert peak_bytes(data) < 2**20 + 500 * len(data)


def written_by(fields: list[Schema], at: Path) -> tuple[schemas.Catalog, bytes]:
    """A catalog that also knows a StockRefused of other fields, and that schema's header."""
    current = schemas.CATALOG.reader_schema(StockRefused.avro_name)
    other = {**current, "fields": fields}
    (at / "current.avsc").write_text(json.dumps(current), encoding="utf-8")
    (at / "other.avsc").write_text(json.dumps(other), encoding="utf-8")
    files = {
        StockRefused.fingerprint.hex(): "current.avsc",
        fingerprint(other).hex(): "other.avsc",
    }
    return replace(schemas.CATALOG, writers=files, root=at), b"\xc3\x01" + fingerprint(other)


def fields_with(name: str, avro: Avro) -> list[Schema]:
    fields = OWN.schemas()[StockRefused.avro_name]["fields"]
    return [*fields, {"name": name, "type": avro, "doc": "A field of another version."}]


def test_a_field_that_this_release_does_not_know_is_dropped(tmp_path: Path) -> None:
    catalog, header = written_by(
        fields_with("aisle", {"type": "array", "items": "string"}), tmp_path
    )
    encoded = header + CODEC.encode(REFUSAL)[HEADER_BYTES:]
    assert Codec(catalog).decode(encoded + long(1) + text(b"7") + long(0)) == REFUSAL


@pytest.mark.parametrize(
    ("items", "error"), [("boolean", "EOFError"), ("double", "EOFError"), ("string", "IndexError")]
)
def test_a_dropped_field_can_not_keep_the_decoder_busy(
    items: str, error: str, tmp_path: Path
) -> None:
    # fastavro would skip 2**62 items of a field that its reader does not have, at the data's end:
    # it reads what has no shape.
    catalog, header = written_by(fields_with("flags", {"type": "array", "items": items}), tmp_path)
    encoded = header + CODEC.encode(REFUSAL)[HEADER_BYTES:]
    with pytest.raises(UndecodableRecord, match=error):
        Codec(catalog).decode(encoded + long(2**62))


def test_a_field_that_was_not_there_yet_gets_its_default(tmp_path: Path) -> None:
    class Later(schemas.Message):
        avro_name: ClassVar[str] = StockRefused.avro_name
        fingerprint: ClassVar[bytes] = StockRefused.fingerprint
        order_id: UUID
        sku: str
        code: str
        detail: str = "unexplained"

    schema = OWN.schemas()[StockRefused.avro_name]
    before = [field for field in schema["fields"] if field["name"] != "detail"]
    catalog, header = written_by(before, tmp_path)
    written = (str(ORDER_ID).encode(), b"LAMP-1", b"out_of_stock")
    encoded = header + b"".join(map(text, written))
    later = Codec(replace(catalog, messages={Later.avro_name: Later}))
    assert later.decode(encoded) == Later(order_id=ORDER_ID, sku="LAMP-1", code="out_of_stock")
    with pytest.raises(UndecodableRecord, match="detail"):  # it has none; the lint prevents this
        Codec(catalog).decode(encoded)
