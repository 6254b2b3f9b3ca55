"""Orthanc as a peer: it stores to us, asks us and takes from us, and we do the same with it."""

from __future__ import annotations

from collections.abc import Iterator

import pydicom
import pytest

from radfuse.services.peers import Peer
from radfuse.wire import ProposedContext, scu
from tests.interop.client import (
    GET,
    PATIENT_ROOT,
    PENDING,
    Kept,
    Sent,
    as_sent,
    associate,
    configured_peer,
    decoded,
    encoded,
    get,
    identifier,
    move,
    store_all,
)
from tests.support.generate import CT_IMAGE, PATIENT_ID, STUDY_UID, GeneratedSet
from tests.support.orthanc import Orthanc, running_orthanc
from tests.support.servers import RunningNode

pytestmark = pytest.mark.peers

EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture(scope="module")
def peer(node: RunningNode, orthanc: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """Orthanc, which knows the node as "radfuse", and which the node knows as ORTHANC."""
    with (
        running_orthanc(orthanc, tmp_path_factory.mktemp("orthanc"), node) as running,
        configured_peer(node, Peer.parse(f"ORTHANC@127.0.0.1:{running.dicom_port}")),
    ):
        yield running


@pytest.fixture
def sent(generated_set: GeneratedSet) -> dict[str, Sent]:
    """The generated study by SOP Instance UID."""
    return {one.sop_instance_uid: one for one in map(as_sent, generated_set.files)}


@pytest.fixture
def filled(node: RunningNode, sent: dict[str, Sent]) -> dict[str, Sent]:
    """The generated study, after it was stored on the node."""
    assert set(store_all(node, list(sent.values()))) == {0}
    return sent


def test_orthanc_pings_the_node(peer: Orthanc) -> None:
    assert peer.ask("modalities/radfuse/echo", {}) == {}


def test_orthanc_stores_a_study_on_the_node(
    node: RunningNode, peer: Orthanc, generated_set: GeneratedSet, sent: dict[str, Sent]
) -> None:
    instances = [peer.ask("instances", path.read_bytes())["ID"] for path in generated_set.files]
    outcome = peer.ask("modalities/radfuse/store", instances)
    assert (outcome["InstancesCount"], outcome["FailedInstancesCount"]) == (19, 0)
    kept = Kept()
    responses = get(node, identifier("STUDY", StudyInstanceUID=STUDY_UID), [one.kind for one in sent.values()], kept)
    assert responses[-1].status == 0
    assert {uid: one.data for uid, one in kept.by_uid.items()} == {uid: one.data for uid, one in sent.items()}


def test_orthanc_finds_studies_on_the_node(peer: Orthanc, filled: dict[str, Sent]) -> None:
    query = {"Level": "Study", "Query": {"PatientID": PATIENT_ID, "StudyDescription": "Gen*"}}
    found = peer.ask("modalities/radfuse/query", query)
    (answer,) = peer.ask(f"queries/{found['ID']}/answers?expand&simplify")
    assert answer["StudyInstanceUID"] == STUDY_UID
    assert answer["PatientID"] == PATIENT_ID


@pytest.mark.parametrize("level", ["Study", "Series", "Instance"])
def test_orthanc_takes_objects_from_the_node_by_c_move(peer: Orthanc, filled: dict[str, Sent], level: str) -> None:
    peer.clear()
    keys = {"PatientID": PATIENT_ID, "StudyInstanceUID": STUDY_UID}
    keys |= {"SeriesInstanceUID": "2.25.7100.1"} if level != "Study" else {}
    keys |= {"SOPInstanceUID": "2.25.7100.1.3"} if level == "Instance" else {}
    found = peer.ask("modalities/radfuse/query", {"Level": level, "Query": keys})
    peer.ask(f"queries/{found['ID']}/retrieve", {"TargetAet": "ORTHANC", "Synchronous": True})
    assert len(peer.ask("instances")) == {"Study": 19, "Series": 5, "Instance": 1}[level]


def test_the_node_moves_a_study_to_orthanc(node: RunningNode, peer: Orthanc, filled: dict[str, Sent]) -> None:
    peer.clear()
    responses = move(node, "ORTHANC", identifier("STUDY", StudyInstanceUID=STUDY_UID))
    assert responses[-1].status == 0
    assert responses[-1].command.number_of_completed_suboperations == 19
    instances = peer.ask("instances")
    assert len(instances) == 19
    for instance in instances:
        content = peer.file(instance)
        ds = pydicom.dcmread(pydicom.filebase.DicomBytesIO(content), stop_before_pixels=True)
        start = 144 + ds.file_meta.FileMetaInformationGroupLength
        assert content[start:] == filled[str(ds.SOPInstanceUID)].data


def test_we_find_studies_on_orthanc(peer: Orthanc, node: RunningNode, generated_set: GeneratedSet) -> None:
    peer.ask("instances", generated_set.ct[0].read_bytes())
    wanted = identifier("STUDY", PatientID=PATIENT_ID, StudyInstanceUID="")
    address = ("127.0.0.1", peer.dicom_port)
    model = PATIENT_ROOT[0]
    with associate(address, [ProposedContext(model, (EXPLICIT,))], called="ORTHANC") as association:
        answers = list(scu.find(association, scu.context_for(association, model), encoded(wanted)))
    assert answers[-1].status == 0
    assert [decoded(answer.identifier).StudyInstanceUID for answer in answers if answer.status in PENDING] == [
        STUDY_UID
    ]


def test_we_take_a_series_from_orthanc_by_c_get(peer: Orthanc, generated_set: GeneratedSet) -> None:
    for path in generated_set.ct:
        peer.ask("instances", path.read_bytes())
    kept = Kept()
    contexts = [ProposedContext(GET, (EXPLICIT,)), ProposedContext(CT_IMAGE, (EXPLICIT,))]
    address, roles = ("127.0.0.1", peer.dicom_port), {CT_IMAGE: (False, True)}
    with associate(address, contexts, called="ORTHANC", roles=roles) as association:
        wanted = identifier("SERIES", StudyInstanceUID=STUDY_UID, SeriesInstanceUID="2.25.7100.1")
        responses = list(scu.get(association, scu.context_for(association, GET), encoded(wanted), kept.take))
    assert responses[-1].status == 0
    expected = {one.sop_instance_uid: one.data for one in map(as_sent, generated_set.ct)}
    assert {uid: one.data for uid, one in kept.by_uid.items()} == expected
