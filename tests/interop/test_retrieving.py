"""C-MOVE to peers of every temper, and C-GET: statuses, counters, failed UID lists, transcoding."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE, TRANSFER_SYNTAXES
from radfuse.services.context_lists import ContextList, ContextLists
from radfuse.services.peers import Peer
from radfuse.wire import Association, Message, ProposedContext, scu
from radfuse.wire.negotiation import Acceptance, AssociationRequest, Rejection
from tests.interop.client import (
    GET,
    LIMITS,
    MOVE,
    STUDY_ROOT,
    Kept,
    Sent,
    as_sent,
    associate,
    configured_peer,
    counters,
    decoded,
    encoded,
    get,
    identifier,
    move,
    peer_scp,
    store_all,
    threads_of,
    wait_until,
)
from tests.support.generate import CT_IMAGE, STUDY_UID, GeneratedSet
from tests.support.servers import RunningNode
from tests.wire.scenes import AcceptsAll, Node

SETTINGS = "[limits]\nresponse_s = 1.0\nconnect_s = 2.0\nartim_s = 2.0\n"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


class Accepts(AcceptsAll):
    """A policy that takes only some contexts."""

    def __init__(self, takes: Callable[[str, str], bool]) -> None:
        super().__init__()
        self._takes = takes

    def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance | Rejection:
        contexts: dict[int, str | int] = {}
        for row in request.contexts:
            fitting = [syntax for syntax in row.transfer_syntaxes if self._takes(row.abstract_syntax, syntax)]
            contexts[row.id] = fitting[0] if fitting else 4
        return Acceptance(contexts, roles=request.roles)


@pytest.fixture(scope="module")
def sent(node: RunningNode, generated_set: GeneratedSet) -> dict[str, Sent]:
    """The generated study, which is on the node."""
    objects = [as_sent(path) for path in generated_set.files]
    assert set(store_all(node, objects)) == {0}
    return {one.sop_instance_uid: one for one in objects}


@pytest.fixture(scope="module")
def whole() -> Dataset:
    """An identifier of the whole study."""
    return identifier("STUDY", StudyInstanceUID=STUDY_UID)


def failed_uids(response: scu.Response) -> set[str]:
    assert response.identifier, "no failed SOP Instance UID list"
    value = decoded(response.identifier, IMPLICIT_LITTLE).FailedSOPInstanceUIDList
    return {value} if isinstance(value, str) else set(value)


# --- C-MOVE ---------------------------------------------------------------------------------------


def test_everything_arrives_with_pending_responses_that_count_down(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    kept = Kept()
    with peer_scp(node, "PEER", kept):
        *pending, last = move(node, "PEER", whole)
    assert kept.by_uid == sent
    assert set(kept.originators) == {("TESTER", 1)}
    assert [response.status for response in pending] == [0xFF00] * 18
    assert [counters(response) for response in pending] == [(19 - done, done, 0, 0) for done in range(1, 19)]
    assert (last.status, counters(last), last.identifier) == (0, (None, 19, 0, 0), b"")


@pytest.mark.parametrize("level", ["PATIENT", "STUDY", "SERIES", "IMAGE"])
def test_each_level_names_what_lies_below_it(node: RunningNode, sent: dict[str, Sent], level: str) -> None:
    from tests.interop.client import PATIENT_ROOT

    wanted = identifier(level, PatientID="GEN-0001")
    if level != "PATIENT":
        wanted.StudyInstanceUID = STUDY_UID
    if level in ("SERIES", "IMAGE"):
        wanted.SeriesInstanceUID = ["2.25.7100.1", "2.25.7100.4"] if level == "SERIES" else "2.25.7100.1"
    if level == "IMAGE":
        wanted.SOPInstanceUID = ["2.25.7100.1.2", "2.25.7100.1.5"]
    kept = Kept()
    with peer_scp(node, "PEER", kept):
        responses = move(node, "PEER", wanted, PATIENT_ROOT)
    assert responses[-1].status == 0
    assert len(kept.objects) == {"PATIENT": 19, "STUDY": 19, "SERIES": 6, "IMAGE": 2}[level]


def test_nothing_to_move_is_a_success_of_nothing(node: RunningNode) -> None:
    with peer_scp(node, "PEER", Kept()):
        (last,) = move(node, "PEER", identifier("STUDY", StudyInstanceUID="1.2.3.4"))
    assert (last.status, counters(last)) == (0, (None, 0, 0, 0))


@pytest.mark.parametrize("destination", ["NOBODY", "RADFUSE", "../x"])
def test_a_destination_that_is_not_configured_is_refused(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset, destination: str
) -> None:
    (last,) = move(node, destination, whole)
    assert last.status == 0xA801
    assert last.identifier == b""


def test_we_may_be_our_own_destination(node: RunningNode, sent: dict[str, Sent], whole: Dataset) -> None:
    with configured_peer(node, Peer.parse(f"{node.ae_title}@127.0.0.1:{node.port}")):
        *_, last = move(node, node.ae_title, whole)
    assert (last.status, counters(last)) == (0, (None, 19, 0, 0))


def test_a_closed_port_fails_every_object(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset, free_port: int
) -> None:
    with configured_peer(node, Peer.parse(f"CLOSED@127.0.0.1:{free_port}")):
        *_, last = move(node, "CLOSED", whole)
    assert (last.status, counters(last)) == (0xB000, (None, 0, 19, 0))
    assert failed_uids(last) == set(sent)


def test_a_destination_gets_what_is_on_its_context_list(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    ct = {uid for uid, one in sent.items() if one.sop_class_uid == CT_IMAGE}
    kept = Kept()
    with contextlib.closing(ContextLists(node.data)) as lists, Node(kept, LIMITS) as scp:
        lists.put(ContextList("ct-only", (CT_IMAGE,), (IMPLICIT_LITTLE,)))
        picky = replace(Peer.parse(f"PICKY@127.0.0.1:{scp.address[1]}"), context_list="ct-only")
        with configured_peer(node, picky):
            *_, last = move(node, "PICKY", whole)
        lists.reset("ct-only")
    assert set(kept.by_uid) == ct
    assert {one.transfer_syntax_uid for one in kept.objects} == {IMPLICIT_LITTLE}
    assert (last.status, counters(last)) == (0xB000, (None, len(ct), len(sent) - len(ct), 0))
    assert failed_uids(last) == set(sent) - ct


def test_a_peer_that_refuses_some_classes_gets_the_others(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    kept = Kept()
    with peer_scp(node, "HALF", kept, Accepts(lambda uid, syntax: uid == CT_IMAGE)):
        *_, last = move(node, "HALF", whole)
    assert {one.sop_class_uid for one in kept.objects} == {CT_IMAGE}
    assert (last.status, counters(last)) == (0xB000, (None, 5, 14, 0))
    assert failed_uids(last) == {uid for uid, one in sent.items() if one.sop_class_uid != CT_IMAGE}


def test_a_peer_that_refuses_everything_fails_everything(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    with peer_scp(node, "NONE", Kept(), Accepts(lambda uid, syntax: False)):
        *_, last = move(node, "NONE", whole)
    assert (last.status, counters(last)) == (0xB000, (None, 0, 19, 0))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(0xA700, (None, 18, 1, 0)), (0xB000, (None, 18, 0, 1)), (0x0111, (None, 18, 1, 0)), (0xC001, (None, 18, 1, 0))],
)
def test_what_a_peer_answers_is_counted(
    node: RunningNode,
    sent: dict[str, Sent],
    whole: Dataset,
    answer: int,
    expected: tuple[int | None, int, int, int],
) -> None:
    odd = "2.25.7100.1.3"
    kept = Kept(lambda uid: answer if uid == odd else 0)
    with peer_scp(node, "ODD", kept):
        *_, last = move(node, "ODD", whole)
    assert (last.status, counters(last)) == (0xB000, expected)
    assert len(kept.objects) == 19
    assert (failed_uids(last) == {odd}) if expected[2] else last.identifier == b""


def test_a_peer_that_hangs_is_left_after_the_time_limit(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    def hang(association: Association, message: Message) -> None:
        association.discard_data_set()
        association.receive_command(30.0)

    with peer_scp(node, "HANG", hang):
        *_, last = move(node, "HANG", whole)
    assert (last.status, counters(last)) == (0xB000, (None, 0, 19, 0))


def test_a_peer_that_never_answers_the_association_request_is_left(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        configured_peer(node, Peer.parse(f"SILENT@127.0.0.1:{silent.getsockname()[1]}")),
    ):
        *_, last = move(node, "SILENT", whole)
    assert (last.status, counters(last)) == (0xB000, (None, 0, 19, 0))


def test_a_peer_that_aborts_in_the_middle_fails_the_rest(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    kept = Kept()

    def abort_late(association: Association, message: Message) -> None:
        if len(kept.objects) == 7:
            association.abort()
        else:
            kept(association, message)

    with peer_scp(node, "ABORTS", abort_late):
        *_, last = move(node, "ABORTS", whole)
    assert (last.status, counters(last)) == (0xB000, (None, 7, 12, 0))
    assert failed_uids(last) == set(sent) - set(kept.by_uid)


@pytest.mark.parametrize("name", ["A/B", "X" * 17])
def test_an_unusable_destination_title_is_refused(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset, name: str
) -> None:
    (last,) = move(node, name, whole)
    assert last.status == 0xA801


@pytest.mark.parametrize("keys", [{}, {"StudyInstanceUID": ""}, {"StudyInstanceUID": "1.2*"}])
def test_a_request_that_names_nothing_is_refused(node: RunningNode, keys: dict[str, str]) -> None:
    with peer_scp(node, "PEER", Kept()):
        (last,) = move(node, "PEER", identifier("STUDY", **keys))
    assert last.status == 0xA900
    assert last.command.error_comment


# --- transcoding ---------------------------------------------------------------------------------


LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91"}
NATIVE_CT = "CTImage.dcm_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm"


@pytest.mark.parametrize("syntax", sorted(TRANSFER_SYNTAXES.keys() - {IMPLICIT_LITTLE}))
def test_a_peer_that_takes_only_implicit_little_endian_gets_the_same_pixels(
    node: RunningNode, shared_data: Path, syntax: str
) -> None:
    folder = shared_data / "transfer-syntaxes" / "one-ct-image"
    (path,) = folder.glob(f"*_{syntax}.dcm")
    one = as_sent(path)
    header = pydicom.dcmread(path, stop_before_pixels=True)
    assert store_all(node, [one]) == [0]
    kept = Kept()
    with peer_scp(node, "PLAIN", kept, Accepts(lambda _uid, proposed: proposed == IMPLICIT_LITTLE)):
        wanted = identifier(
            "IMAGE", StudyInstanceUID=header.StudyInstanceUID, SeriesInstanceUID=header.SeriesInstanceUID
        )
        wanted.SOPInstanceUID = one.sop_instance_uid
        *_, last = move(node, "PLAIN", wanted)
    assert (last.status, counters(last)) == (0, (None, 1, 0, 0))
    (received,) = kept.objects
    assert (received.sop_instance_uid, received.transfer_syntax_uid) == (one.sop_instance_uid, IMPLICIT_LITTLE)
    pixels = decoded(received.data, IMPLICIT_LITTLE).pixel_array.astype(np.int32)
    expected = pydicom.dcmread(folder / NATIVE_CT).pixel_array
    if syntax in LOSSY:
        # Two of the files were cut to 8 bits on their way; codecs themselves are judged in tests/dicom/codecs.
        assert np.corrcoef(pixels.ravel(), expected.ravel())[0, 1] > 0.95
    else:
        assert np.array_equal(pixels, expected)


# --- C-GET ---------------------------------------------------------------------------------------


def kinds(objects: dict[str, Sent]) -> list[tuple[str, str]]:
    return [one.kind for one in objects.values()]


def test_everything_comes_back_on_the_association_that_asked(
    node: RunningNode, sent: dict[str, Sent], whole: Dataset
) -> None:
    kept = Kept()
    *pending, last = get(node, whole, kinds(sent), kept)
    assert kept.by_uid == sent
    assert [counters(response) for response in pending] == [(19 - done, done, 0, 0) for done in range(1, 19)]
    assert (last.status, counters(last)) == (0, (None, 19, 0, 0))


def test_classes_that_were_not_negotiated_fail(node: RunningNode, sent: dict[str, Sent], whole: Dataset) -> None:
    kept = Kept()
    *_, last = get(node, whole, [(CT_IMAGE, EXPLICIT_LITTLE)], kept)
    assert (last.status, counters(last)) == (0xB000, (None, 5, 14, 0))
    assert failed_uids(last) == {uid for uid, one in sent.items() if one.sop_class_uid != CT_IMAGE}


def test_an_object_is_transcoded_where_only_another_syntax_was_negotiated(
    node: RunningNode, sent: dict[str, Sent]
) -> None:
    kept = Kept()
    wanted = identifier("IMAGE", StudyInstanceUID=STUDY_UID, SeriesInstanceUID="2.25.7100.1")
    wanted.SOPInstanceUID = "2.25.7100.1.1"
    *_, last = get(node, wanted, [(CT_IMAGE, IMPLICIT_LITTLE)], kept)
    assert last.status == 0
    given = decoded(kept.objects[0].data, IMPLICIT_LITTLE)
    assert given.PixelData == decoded(sent["2.25.7100.1.1"].data).PixelData


def test_a_warning_of_the_taker_is_counted(node: RunningNode, sent: dict[str, Sent], whole: Dataset) -> None:
    *_, last = get(node, whole, kinds(sent), Kept(lambda uid: 0xB006))
    assert (last.status, counters(last), last.identifier) == (0xB000, (None, 0, 0, 19), b"")


# --- damage -----------------------------------------------------------------------------------------


def test_a_damaged_or_missing_file_is_not_sent_as_good(node: RunningNode, generated_set: GeneratedSet) -> None:
    objects = []
    for number in range(3):
        ds = pydicom.dcmread(generated_set.ct[number])
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.6000", "2.25.6000.1"
        ds.SOPInstanceUID = f"2.25.6000.1.{number}"
        objects.append(Sent(CT_IMAGE, ds.SOPInstanceUID, EXPLICIT_LITTLE, encoded(ds)))
    assert store_all(node, objects) == [0, 0, 0]
    by_name: dict[str, Path] = {}
    wait_until(lambda: len(by_name | files_with(node, objects, by_name)) == 3, "the files are not there yet")
    damaged, missing = by_name["2.25.6000.1.0"], by_name["2.25.6000.1.1"]
    content = bytearray(damaged.read_bytes())
    content[-5] ^= 1
    damaged.write_bytes(content)
    missing.unlink()
    # As if it had been lost long ago: of an object that has just come the node waits for the file.
    with contextlib.closing(sqlite3.connect(node.data / "index.sqlite")) as database, database:
        database.execute("UPDATE instance SET arrived_s = arrived_s - 3600")
    wanted = identifier("STUDY", StudyInstanceUID="2.25.6000")
    kept = Kept()
    *_, last = get(node, wanted, [(CT_IMAGE, EXPLICIT_LITTLE)], kept)
    assert (last.status, counters(last)) == (0xB000, (None, 1, 2, 0))
    assert failed_uids(last) == {"2.25.6000.1.0", "2.25.6000.1.1"}
    assert list(kept.by_uid) == ["2.25.6000.1.2"]


def files_with(node: RunningNode, objects: list[Sent], found: dict[str, Path]) -> dict[str, Path]:
    """The files of the store that hold these objects."""
    for path in (node.data / "store").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for one in objects:
                if content.endswith(one.data):
                    found[one.sop_instance_uid] = path
    return found


# --- C-CANCEL, and peers that vanish --------------------------------------------------------------


@pytest.fixture(scope="module")
def many(node: RunningNode) -> int:
    """How many small objects are in study 2.25.4000."""
    count = 400
    ds = Dataset()
    ds.SOPClassUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = CT_IMAGE, "2.25.4000", "2.25.4000.1"
    ds.PatientID = "MANY"
    objects = []
    for number in range(count):
        ds.SOPInstanceUID = f"2.25.4000.1.{number}"
        objects.append(Sent(CT_IMAGE, ds.SOPInstanceUID, EXPLICIT_LITTLE, encoded(ds)))
    assert set(store_all(node, objects)) == {0}
    return count


MANY = identifier("STUDY", StudyInstanceUID="2.25.4000")


def test_a_find_is_cancelled_with_fe00(node: RunningNode, many: int) -> None:
    wanted = identifier("IMAGE", StudyInstanceUID="2.25.4000", SeriesInstanceUID="2.25.4000.1", SOPInstanceUID="")
    find = STUDY_ROOT[0]
    with associate(node, [ProposedContext(find, (EXPLICIT_LITTLE,))]) as association:
        context_id = scu.context_for(association, find)
        *answers, last = scu.find(association, context_id, encoded(wanted), lambda: True)
        assert last.status in (0xFE00, 0x0000)
        assert (last.status == 0) == (len(answers) == many)
        scu.cancel(association, context_id, 77)
        *answers, last = scu.find(association, context_id, encoded(wanted))
        assert (len(answers), last.status) == (many, 0), "a cancel of something else changes nothing"


def test_a_move_is_cancelled_with_fe00_and_counters_that_add_up(node: RunningNode, many: int) -> None:
    kept = Kept()

    def slowly(association: Association, message: Message) -> None:
        time.sleep(0.01)
        kept(association, message)

    with peer_scp(node, "SLOW", slowly), associate(node, [ProposedContext(MOVE, (IMPLICIT_LITTLE,))]) as association:
        context_id = scu.context_for(association, MOVE)
        responses = []
        for response in scu.move(
            association, context_id, "SLOW", encoded(MANY, IMPLICIT_LITTLE), lambda: len(kept.objects) >= 3
        ):
            responses.append(response)
    check_cancelled(responses[-1], len(kept.objects), many)


def check_cancelled(last: scu.Response, received: int, many: int) -> None:
    remaining, completed, failed, warning = counters(last)
    assert last.status == 0xFE00
    assert (failed, warning, completed) == (0, 0, received)
    assert remaining == many - received
    assert 3 <= received < many / 2


def test_a_get_is_cancelled_with_fe00_within_a_sub_operation(node: RunningNode, many: int) -> None:
    kept = Kept()
    contexts = [ProposedContext(GET, (IMPLICIT_LITTLE,)), ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,))]
    with associate(node, contexts, roles={CT_IMAGE: (False, True)}) as association:
        context_id = scu.context_for(association, GET)

        def cancel_the_third(established: Association, message: Message) -> int:
            answer = kept.take(established, message)
            if len(kept.objects) == 3:
                scu.cancel(established, context_id, 1)
            return answer

        *_, last = scu.get(association, context_id, encoded(MANY, IMPLICIT_LITTLE), cancel_the_third)
        check_cancelled(last, len(kept.objects), many)
        *_, last = scu.get(association, context_id, encoded(MANY, IMPLICIT_LITTLE), kept.take)
        assert (last.status, counters(last)) == (0, (None, many, 0, 0)), "the association goes on"


def test_a_get_is_cancelled_with_fe00_between_sub_operations(node: RunningNode, many: int) -> None:
    kept = Kept()
    contexts = [ProposedContext(GET, (IMPLICIT_LITTLE,)), ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,))]
    with associate(node, contexts, roles={CT_IMAGE: (False, True)}) as association:
        wanted = encoded(MANY, IMPLICIT_LITTLE)
        context_id = scu.context_for(association, GET)
        *_, last = scu.get(association, context_id, wanted, kept.take, lambda: len(kept.objects) >= 3)
    check_cancelled(last, len(kept.objects), many)


@pytest.mark.parametrize("operation", ["find", "move", "get"])
def test_a_peer_that_vanishes_leaves_no_thread(node: RunningNode, many: int, operation: str) -> None:
    wait_until(lambda: threads_of(node) < 8, "threads of earlier tests")
    before = threads_of(node)
    kept = Kept()

    def slowly(association: Association, message: Message) -> None:
        time.sleep(0.02)
        kept(association, message)

    contexts = [ProposedContext(uid, (IMPLICIT_LITTLE,)) for uid in STUDY_ROOT]
    contexts += [ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,))]
    with peer_scp(node, "SLOW", slowly):
        association = associate(node, contexts, roles={CT_IMAGE: (False, True)})
        wanted = encoded(MANY, IMPLICIT_LITTLE)
        if operation == "find":
            wanted = encoded(
                identifier("IMAGE", StudyInstanceUID="2.25.4000", SeriesInstanceUID="2.25.4000.1"), IMPLICIT_LITTLE
            )
            next(scu.find(association, scu.context_for(association, STUDY_ROOT[0]), wanted))
        elif operation == "move":
            next(scu.move(association, scu.context_for(association, MOVE), "SLOW", wanted))
        else:
            from radfuse.wire import CommandSet, Operation

            command = CommandSet(Operation.C_GET_RQ, 1, affected_sop_class_uid=GET, priority=0)
            association.send(scu.context_for(association, GET), command, wanted)
            assert association.receive_command() is not None
        association.close()
        wait_until(lambda: threads_of(node) <= before, "a thread was left")
    assert len(kept.objects) < many
