"""The statuses of C-STORE as SCP, and that an association goes on after each of them (store_status.csv)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse.core.errors import AssociationRejected
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_LITTLE, IMPLICIT_LITTLE, TRANSFER_SYNTAXES
from radfuse.wire import Association, ProposedContext, scu
from tests.interop.client import (
    VERIFICATION,
    Sent,
    associate,
    encoded,
    forget_peak,
    log_of,
    peak_resident_bytes,
    resident_bytes,
    sent_dataset,
    spooled_files,
    store,
    store_response,
    stored_files,
    wait_until,
    with_uid,
)
from tests.interop.conftest import write_settings
from tests.support.generate import CT_IMAGE, MR_IMAGE, base_instance
from tests.support.servers import RunningNode, running_node

UNKNOWN_CLASS = "1.2.826.0.1.3680043.2.1125.1"
CONTEXTS = [ProposedContext(uid, (syntax,)) for uid in (CT_IMAGE, MR_IMAGE) for syntax in (EXPLICIT_LITTLE,)]
CONTEXTS += [ProposedContext(CT_IMAGE, (syntax,)) for syntax in (IMPLICIT_LITTLE, DEFLATED_LITTLE)]
CONTEXTS += [ProposedContext(VERIFICATION, (IMPLICIT_LITTLE,))]

_numbers = iter(range(1, 1_000_000))


@pytest.fixture(scope="module")
def association(node: RunningNode) -> Iterator[Association]:
    """One association for all that is refused: it must survive."""
    with associate(node, CONTEXTS) as established:
        yield established


def an_image(uid: str = "") -> Dataset:
    ds = base_instance(CT_IMAGE, "CT", 20, next(_numbers))
    if uid:
        ds.SOPInstanceUID = uid
    return ds


def named(uid: str) -> Sent:
    """An object with this name, in the command and in the data set."""
    plain = sent_dataset(an_image("1.2.3"))
    value = uid.encode() + b"\0" * (len(uid) & 1)
    old = struct.pack("<HH2sH", 8, 0x18, b"UI", 6) + b"1.2.3\0"
    assert plain.data.count(old) == 1
    data = plain.data.replace(old, struct.pack("<HH2sH", 8, 0x18, b"UI", len(value)) + value)
    return Sent(CT_IMAGE, uid, EXPLICIT_LITTLE, data)


def nested(depth: int) -> Dataset:
    ds = an_image()
    inner = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.ContentSequence = Sequence([inner])
        inner = outer
    ds.ContentSequence = inner.ContentSequence
    return ds


def deflated(data: bytes, tail: bytes = b"") -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(data) + deflater.flush()
    return packed + tail + b"\0" * ((len(packed) + len(tail)) & 1)


@pytest.mark.parametrize(
    "uid",
    ["../../x", "/etc/x", "..", ".", "1.2.3\0.4", "1." + "2" * 63, "", "1..2", "1.2.", "1.2.a"],
    ids=["up", "absolute", "dots", "dot", "nul", "65", "empty", "component", "trailing", "letter"],
)
def test_a_name_that_is_no_uid_is_refused_and_nothing_is_written(
    node: RunningNode, association: Association, uid: str
) -> None:
    before = stored_files(node)
    assert store(association, named(uid)) == 0xA900
    assert stored_files(node) == before
    assert scu.echo(association) == 0


def test_a_uid_of_64_characters_is_stored(association: Association) -> None:
    assert store(association, named("1." + "2" * 62)) == 0


def test_a_command_that_names_another_object_or_class_is_refused(association: Association) -> None:
    good = sent_dataset(an_image())
    assert store(association, with_uid(good, "1.2.3.4")) == 0xA900
    assert store(association, replace(good, sop_class_uid=MR_IMAGE)) == 0xA900
    assert store(association, good) == 0


def test_a_command_whose_class_is_not_the_contexts_is_refused_with_0122(association: Association) -> None:
    good = sent_dataset(an_image())
    context_id = scu.context_for(association, MR_IMAGE, EXPLICIT_LITTLE)
    assert scu.store(association, context_id, CT_IMAGE, good.sop_instance_uid, good.data).status == 0x0122


@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_an_object_without_a_name_for_itself_or_its_parents_is_refused(association: Association, keyword: str) -> None:
    ds = an_image()
    uid = ds.SOPInstanceUID
    delattr(ds, keyword)
    assert store(association, Sent(CT_IMAGE, uid, EXPLICIT_LITTLE, encoded(ds))) == 0xA900


def test_truncated_data_are_refused(association: Association) -> None:
    good = sent_dataset(an_image())
    assert store(association, replace(good, data=good.data[:-3])) == 0xA900
    assert store(association, replace(good, data=b"")) == 0xA900


def test_sequences_may_be_nested_64_deep_and_no_deeper(association: Association) -> None:
    assert store(association, sent_dataset(nested(64))) == 0
    response = store_response(association, sent_dataset(nested(65)))
    assert response.status == 0xA900
    assert response.error_comment == "sequences are nested deeper than 64 levels"
    for undefined in (False, True):
        assert store(association, ten_thousand_deep(undefined)) == 0xA900
    assert scu.echo(association) == 0


def ten_thousand_deep(undefined: bool) -> Sent:
    good = sent_dataset(an_image())
    depth, data = 10_000, b""
    if undefined:
        head = struct.pack("<HH2sHIHHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
        data = head * depth
        data += struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0) * depth
    else:
        parts = []
        for level in range(depth):
            rest = (depth - level - 1) * 20
            parts.append(struct.pack("<HH2sHIHHI", 0x0040, 0xA730, b"SQ", 0, rest + 8, 0xFFFE, 0xE000, rest))
        data = b"".join(parts)
    return replace(good, data=good.data + data)


def test_a_deflated_object_is_stored_as_it_came(node: RunningNode, association: Association) -> None:
    ds = an_image()
    data = deflated(encoded(ds))
    assert store(association, Sent(CT_IMAGE, ds.SOPInstanceUID, DEFLATED_LITTLE, data)) == 0
    wait_until(lambda: any(path.read_bytes().endswith(data) for path in stored_files(node)), "it is in no file")


def test_a_deflate_bomb_is_refused_and_costs_little_memory(node: RunningNode, association: Association) -> None:
    ds = an_image()
    head = encoded(ds) + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFF0)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(16 << 20)
    packed = b"".join([deflater.compress(head), *(deflater.compress(zeros) for _ in range(40)), deflater.flush()])
    before = resident_bytes(node)
    forget_peak(node)
    response = store_response(association, Sent(CT_IMAGE, ds.SOPInstanceUID, DEFLATED_LITTLE, packed))
    assert response.status == 0xA900
    assert "inflates to more than" in (response.error_comment or "")
    assert peak_resident_bytes(node) - before < 64 << 20


@pytest.mark.parametrize("damage", ["cut", "trailing"])
def test_a_broken_deflate_stream_is_refused(association: Association, damage: str) -> None:
    ds = an_image()
    ds.ImageComments = "".join(chr(65 + number * number % 25) for number in range(5000))
    data = deflated(encoded(ds), b"more of it")
    data = data if damage == "trailing" else data[: len(data) // 2 & ~1]
    assert store(association, Sent(CT_IMAGE, ds.SOPInstanceUID, DEFLATED_LITTLE, data)) == 0xA900


def test_a_store_without_a_data_set_is_refused(association: Association) -> None:
    from radfuse.wire import CommandSet, Operation

    context_id = scu.context_for(association, CT_IMAGE, EXPLICIT_LITTLE)
    command = CommandSet(
        Operation.C_STORE_RQ,
        association.next_message_id(),
        affected_sop_class_uid=CT_IMAGE,
        affected_sop_instance_uid="1.2.3",
        priority=0,
    )
    association.send(context_id, command)
    answer = association.receive_command()
    assert answer is not None
    assert answer.command.status == 0xA900


def test_an_operation_that_we_do_not_have_is_answered_0211(association: Association) -> None:
    context_id = scu.context_for(association, VERIFICATION)
    assert scu.action(association, context_id, "1.2.3", 1).status == 0x0211


def test_nothing_of_what_was_refused_is_left_and_no_identity_is_logged(
    node: RunningNode, association: Association
) -> None:
    assert store(association, named("/etc/x")) == 0xA900
    assert store(association, with_uid(sent_dataset(an_image()), "1.2.3.4")) == 0xA900
    assert spooled_files(node) == []
    log = log_of(node)
    assert "object refused" in log
    for secret in ("GEN-0001", "Generated", "etc/x"):
        assert secret not in log


# --- negotiation --------------------------------------------------------------------------------


def test_every_storage_class_is_accepted_in_every_transfer_syntax(node: RunningNode) -> None:
    pairs = [(uid, syntax) for uid in STORAGE_CLASS_NAMES for syntax in TRANSFER_SYNTAXES]
    assert len(pairs) == 1020
    accepted = set()
    for first in range(0, len(pairs), 128):
        contexts = [ProposedContext(uid, (syntax,)) for uid, syntax in pairs[first : first + 128]]
        with associate(node, contexts) as association:
            accepted |= {(one.abstract_syntax, one.transfer_syntax) for one in association.contexts.values()}
    assert accepted == set(pairs)


@pytest.mark.parametrize(
    ("uid", "syntax"),
    [
        (UNKNOWN_CLASS, EXPLICIT_LITTLE),
        ("1.2.840.10008.5.1.4.31", EXPLICIT_LITTLE),
        (CT_IMAGE, "1.2.840.10008.1.2.5"),
        (VERIFICATION, "1.2.840.10008.1.2.4.50"),
    ],
    ids=["private", "worklist", "RLE", "verification"],
)
def test_what_is_not_configured_is_not_accepted(node: RunningNode, uid: str, syntax: str) -> None:
    contexts = [ProposedContext(uid, (syntax,)), ProposedContext(VERIFICATION, (IMPLICIT_LITTLE,))]
    with associate(node, contexts) as association:
        assert [one.id for one in association.contexts.values()] == [3]


@pytest.mark.parametrize("called", ["NOBODY", "../x", "A/B", "radfuse", "RADFUSE2"])
def test_another_called_ae_title_is_rejected(node: RunningNode, called: str) -> None:
    with pytest.raises(AssociationRejected) as caught:
        associate(node, CONTEXTS, called=called)
    assert (caught.value.result, caught.value.source, caught.value.reason) == (1, 1, 7)


@pytest.mark.parametrize("raw", [b" " * 16, b"../../etc/passwd", b"RADFUSE\xe9        ", b"A" * 16, b"\0" * 16])
def test_called_titles_of_any_bytes_are_rejected(node: RunningNode, raw: bytes) -> None:
    from radfuse.wire.pdu import encode
    from tests.interop.client import raw_socket
    from tests.wire.scenes import associate_rq, received_until_closed

    with raw_socket(node) as sock:
        sock.sendall(encode(replace(associate_rq(), called_raw=raw)))
        answer = received_until_closed(sock)
    assert answer[0] in (3, 7)
    assert answer[0] == 7 or answer[7:10] == bytes((1, 1, 7))


# --- other settings -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """Rejects duplicates and all but small objects, takes one private class and RLE."""
    data = tmp_path_factory.mktemp("strict") / "data"
    write_settings(
        data,
        f"""
        [storage]
        duplicates = "reject"
        object_limit_bytes = 3000000
        extra_classes = ["{UNKNOWN_CLASS}"]
        extra_transfer_syntaxes = ["1.2.840.10008.1.2.5"]
        """,
    )
    with running_node(data) as running:
        yield running


def test_other_bytes_under_one_name_are_refused_with_0111_where_configured(strict_node: RunningNode) -> None:
    first, second = an_image(), an_image()
    second.SOPInstanceUID = first.SOPInstanceUID
    with associate(strict_node, CONTEXTS) as association:
        assert store(association, sent_dataset(first)) == 0
        assert store(association, sent_dataset(second)) == 0x0111
        assert store(association, sent_dataset(first)) == 0
    assert sum(1 for path in stored_files(strict_node) if first.SOPInstanceUID.encode() in path.read_bytes()) == 1


def test_an_object_over_the_limit_is_refused_with_a700(strict_node: RunningNode) -> None:
    large, small = an_image(), an_image()
    large.RedPaletteColorLookupTableData = bytes(4_000_000)
    with associate(strict_node, CONTEXTS) as association:
        assert store(association, sent_dataset(large)) == 0xA700
        assert store(association, sent_dataset(small)) == 0
    wait_until(lambda: spooled_files(strict_node) == [], "a spooled object stayed")


def test_configured_classes_and_syntaxes_are_accepted(strict_node: RunningNode) -> None:
    contexts = [ProposedContext(UNKNOWN_CLASS, (EXPLICIT_LITTLE,)), ProposedContext(CT_IMAGE, ("1.2.840.10008.1.2.5",))]
    ds = an_image()
    ds.SOPClassUID = UNKNOWN_CLASS
    with associate(strict_node, contexts) as association:
        assert len(association.contexts) == 2
        assert store(association, sent_dataset(ds)) == 0
