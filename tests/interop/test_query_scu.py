"""We ask peers: find, get and move at every level and in both roots, from Orthanc and DCMTK's dcmqrscp."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings, InformationModel
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import OperationFailed
from radfuse.core.levels import UNIQUE_KEYS, Level
from radfuse.dicom import Element, Identifier
from radfuse.services import query_peer
from radfuse.services.associating import Caller
from radfuse.services.peers import Peer
from radfuse.wire import Limits
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.support.ports import unused_port
from tests.support.servers import STOP_S, RunningNode, running_storescp, wait_for_port

pytestmark = pytest.mark.peers

CALLER = Caller("TESTER", Limits(response_s=30, idle_s=30))
PATIENT_ROOT, STUDY_ROOT = InformationModel.PATIENT_ROOT, InformationModel.STUDY_ROOT

KEYS = {
    Level.PATIENT: PATIENT_ID,
    Level.STUDY: STUDY_UID,
    Level.SERIES: "2.25.7100.1",
    Level.IMAGE: "2.25.7100.1.3",
}
"""A patient with 19 objects, of which 5 are in the series."""

WAYS = [
    *((PATIENT_ROOT, level) for level in Level),
    *((STUDY_ROOT, level) for level in Level if level is not Level.PATIENT),
]
OBJECTS = {Level.PATIENT: 19, Level.STUDY: 19, Level.SERIES: 5, Level.IMAGE: 1}


def naming(model: InformationModel, level: Level) -> Identifier:
    """An identifier with the unique keys from the top of the model to ``level``."""
    return identifier(level, **{UNIQUE_KEYS[at]: KEYS[at] for at in Level if model.value <= at <= level})


def identifier(level: Level, **keys: str) -> Identifier:
    elements = [Element.of("QueryRetrieveLevel", level.name)]
    elements += [Element.of(keyword, *filter(None, [value])) for keyword, value in keys.items()]
    return Identifier(tuple(sorted(elements, key=lambda element: element.tag)))


# --- the peers -----------------------------------------------------------------------------------


@contextlib.contextmanager
def running(*command: str, log: Path, ports: tuple[int, ...]) -> Iterator[None]:
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        for port in ports:
            wait_for_port(port)
        yield
    finally:
        process.terminate()
        process.wait(STOP_S)


@contextlib.contextmanager
def orthanc_with(program: str, folder: Path, destinations: dict[str, int], files: GeneratedSet) -> Iterator[Peer]:
    dicom_port, http_port = unused_port(), unused_port()
    settings = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "PEER",
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "DicomAlwaysAllowGet": True,
        "DicomModalities": {
            title: {"AET": title, "Host": "127.0.0.1", "Port": port} for title, port in destinations.items()
        },
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    with running(program, str(folder / "orthanc.json"), log=folder / "log", ports=(http_port, dicom_port)):
        for path in files.files:
            url = f"http://127.0.0.1:{http_port}/instances"
            with urllib.request.urlopen(url, path.read_bytes(), timeout=60) as answer:
                assert answer.status == 200
        yield Peer("peer", AETitle("PEER"), "127.0.0.1", dicom_port)


@contextlib.contextmanager
def dcmqrscp_with(
    dcmtk: Callable[[str], str], folder: Path, destinations: dict[str, int], files: GeneratedSet
) -> Iterator[Peer]:
    port = unused_port()
    (folder / "db").mkdir()
    hosts = "".join(f"{title.lower()} = ({title}, 127.0.0.1, {there})\n" for title, there in destinations.items())
    (folder / "dcmqrscp.cfg").write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\n{hosts}HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nPEER {folder / 'db'} RW (200, 1024mb) ANY\nAETable END\n",
        encoding="ascii",
    )
    with running(dcmtk("dcmqrscp"), "-c", str(folder / "dcmqrscp.cfg"), log=folder / "log", ports=(port,)):
        paths = [str(path) for path in files.files]
        for options in (["-xe"], ["-xi"]):
            # Each time those that are in this syntax.
            command = [dcmtk("storescu"), "-aec", "PEER", *options, "127.0.0.1", str(port), *paths]
            subprocess.run(command, check=False, capture_output=True, timeout=60)
        yield Peer("peer", AETitle("PEER"), "127.0.0.1", port)


@pytest.fixture(scope="module")
def third(dcmtk: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A storescp, which the peers know as THIRD: its port, and the folder that it fills."""
    port = unused_port()
    folder = tmp_path_factory.mktemp("third")
    with running_storescp(dcmtk("storescp"), folder, port):
        yield port, folder


@pytest.fixture(scope="module", params=["orthanc", "dcmqrscp"])
def peer(
    request: pytest.FixtureRequest,
    node: RunningNode,
    third: tuple[int, Path],
    generated_set: GeneratedSet,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peer]:
    """A peer with the generated study; it knows our node and a third one as destinations."""
    folder = tmp_path_factory.mktemp(request.param)
    destinations = {node.ae_title: node.port, "THIRD": third[0]}
    if request.param == "orthanc":
        program = request.getfixturevalue("orthanc")
        with orthanc_with(program, folder, destinations, generated_set) as listening:
            yield listening
    else:
        dcmtk = request.getfixturevalue("dcmtk")
        with dcmqrscp_with(dcmtk, folder, destinations, generated_set) as listening:
            yield listening


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(ArchiveSettings(tmp_path)) as opened:
        yield opened


# --- what we ask -----------------------------------------------------------------------------------


def test_every_peer_answers_c_echo(peer: Peer) -> None:
    assert query_peer.echo(peer, CALLER).round_trip_s > 0


@pytest.mark.parametrize(("model", "level"), WAYS)
def test_every_level_of_both_roots_is_found(peer: Peer, model: InformationModel, level: Level) -> None:
    wanted = naming(model, level)
    (answer,) = query_peer.find(peer, CALLER, model, wanted)
    unique = Element.of(UNIQUE_KEYS[level]).tag
    assert answer.text(unique).strip() == KEYS[level]


@pytest.mark.parametrize(
    ("level", "keys", "count"),
    [
        (Level.STUDY, {"PatientName": "Test*", "StudyInstanceUID": ""}, 1),
        (Level.STUDY, {"PatientName": "Nobody*", "StudyInstanceUID": ""}, 0),
        (Level.SERIES, {"StudyInstanceUID": STUDY_UID, "SeriesInstanceUID": ""}, 7),
        (Level.IMAGE, {"StudyInstanceUID": STUDY_UID, "SeriesInstanceUID": "2.25.7100.2", "SOPInstanceUID": ""}, 5),
    ],
)
def test_what_matches_is_found_and_nothing_else(peer: Peer, level: Level, keys: dict[str, str], count: int) -> None:
    assert len(list(query_peer.find(peer, CALLER, STUDY_ROOT, identifier(level, **keys)))) == count


@pytest.mark.parametrize(("model", "level"), WAYS)
def test_every_level_of_both_roots_comes_by_c_get(
    peer: Peer, archive: Archive, model: InformationModel, level: Level
) -> None:
    last = list(query_peer.get(archive, peer, CALLER, model, naming(model, level)))[-1]
    assert last.is_complete
    assert last.completed == OBJECTS[level]
    with archive.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM instance").scalar() == OBJECTS[level]


@pytest.mark.parametrize(("model", "level"), WAYS)
def test_every_level_of_both_roots_is_moved_to_ourselves(
    peer: Peer, node: RunningNode, model: InformationModel, level: Level
) -> None:
    last = list(query_peer.move(peer, CALLER, model, naming(model, level), node.ae_title))[-1]
    assert last.is_complete
    assert last.completed == OBJECTS[level]
    ours = Peer("ours", AETitle(node.ae_title), "127.0.0.1", node.port)
    assert len(list(query_peer.find(ours, CALLER, model, naming(model, level)))) == 1


def test_a_series_is_moved_to_a_third_peer(peer: Peer, third: tuple[int, Path]) -> None:
    last = list(query_peer.move(peer, CALLER, STUDY_ROOT, naming(STUDY_ROOT, Level.SERIES), "THIRD"))[-1]
    assert (last.completed, last.failed, last.final_status) == (5, 0, 0)
    assert len([path for path in third[1].iterdir() if "2.25.7100.1." in path.name]) == 5


def test_a_move_to_an_unknown_title_fails(peer: Peer) -> None:
    with pytest.raises(OperationFailed):
        list(query_peer.move(peer, CALLER, STUDY_ROOT, naming(STUDY_ROOT, Level.STUDY), "NOBODY"))


def test_a_cancelled_find_ends_well(peer: Peer) -> None:
    keys = {"StudyInstanceUID": STUDY_UID, "SeriesInstanceUID": "2.25.7100.1", "SOPInstanceUID": ""}
    answers = query_peer.find(peer, CALLER, STUDY_ROOT, identifier(Level.IMAGE, **keys), lambda: True)
    assert len(list(answers)) <= 5


def test_a_cancelled_get_keeps_what_came(peer: Peer, archive: Archive) -> None:
    steps = list(query_peer.get(archive, peer, CALLER, STUDY_ROOT, naming(STUDY_ROOT, Level.STUDY), lambda: True))
    last = steps[-1]
    assert last.is_cancelled or last.is_complete
    with archive.reading() as connection:
        # Orthanc counts a sub-operation that the cancel came into as not done.
        kept = connection.exec_driver_sql("SELECT count(*) FROM instance").scalar_one()
    assert kept - last.completed in (0, 1)


def test_a_cancelled_move_ends_well(peer: Peer, node: RunningNode) -> None:
    wanted = naming(STUDY_ROOT, Level.STUDY)
    last = list(query_peer.move(peer, CALLER, STUDY_ROOT, wanted, node.ae_title, lambda: True))[-1]
    assert last.is_cancelled or last.is_complete
