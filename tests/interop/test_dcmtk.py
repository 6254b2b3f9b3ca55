"""DCMTK's tools against the running node."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest

from radfuse.services.peers import Peer
from tests.interop.client import as_sent, configured_peer, store_all
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.support.servers import RunningNode, running_storescp

pytestmark = pytest.mark.peers

Run = Callable[..., str]


@pytest.fixture
def run(node: RunningNode, dcmtk: Callable[[str], str]) -> Run:
    """Runs a DCMTK tool against the node; its output. It must succeed."""

    def call(tool: str, *words: str | Path) -> str:
        command = [dcmtk(tool), "-v", "-aec", node.ae_title, "127.0.0.1", str(node.port), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return (done.stdout + done.stderr).replace("\0]", "]")  # UIDs are shown with their padding

    return call


@pytest.fixture(autouse=True, scope="module")
def _stored(node: RunningNode, dcmtk: Callable[[str], str], generated_set: GeneratedSet) -> None:
    # storescu writes sequences anew; what was stored first stays, byte for byte.
    assert set(store_all(node, [as_sent(path) for path in generated_set.files])) == {0}
    command = [dcmtk("storescu"), "-R", "-aec", node.ae_title, "+r", "+sd", "127.0.0.1", str(node.port)]
    subprocess.run([*command, str(generated_set.root)], check=True, timeout=60)


@pytest.fixture
def receiver(node: RunningNode, dcmtk: Callable[[str], str], free_port: int, tmp_path: Path) -> Iterator[Path]:
    """The folder of a storescp that the node knows as DCMTK."""
    folder = tmp_path / "received"
    with (
        running_storescp(dcmtk("storescp"), folder, free_port, "-aet", "DCMTK"),
        configured_peer(node, Peer.parse(f"DCMTK@127.0.0.1:{free_port}")),
    ):
        yield folder


def data_sets(files: object) -> dict[str, bytes]:
    """The bytes of the data sets of ``files`` by SOP Instance UID."""
    found = {}
    for path in files:  # type: ignore[attr-defined]
        content = path.read_bytes()
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        start = 144 + ds.file_meta.FileMetaInformationGroupLength
        found[str(ds.SOPInstanceUID)] = content[start:]
    return found


def test_echoscu_is_answered(run: Run) -> None:
    assert "Received Echo Response (Success)" in run("echoscu")


def test_storescu_stores_the_same_file_again(run: Run, generated_set: GeneratedSet) -> None:
    assert "Received Store Response (Success)" in run("storescu", generated_set.ct[0])


@pytest.mark.parametrize("model", ["-P", "-S"])
def test_findscu_finds_at_each_level(run: Run, model: str) -> None:
    patient = ("-k", f"PatientID={PATIENT_ID}")
    study = ("-k", f"StudyInstanceUID={STUDY_UID}")
    study_level = run("findscu", model, "-k", "QueryRetrieveLevel=STUDY", *patient, "-k", "StudyInstanceUID")
    assert study_level.count(STUDY_UID) == 1
    series_level = run("findscu", model, "-k", "QueryRetrieveLevel=SERIES", *patient, *study, "-k", "Modality=CT")
    assert series_level.count("2.25.7100.1]") == 1
    series = ("-k", "SeriesInstanceUID=2.25.7100.1")
    keys = (*patient, *study, *series, "-k", "SOPInstanceUID")
    image_level = run("findscu", model, "-k", "QueryRetrieveLevel=IMAGE", *keys)
    assert all(f"2.25.7100.1.{number}]" in image_level for number in range(1, 6))


def test_findscu_finds_patients(run: Run) -> None:
    keys = ("-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientName=test*", "-k", "PatientID")
    assert f"[{PATIENT_ID}" in run("findscu", "-P", *keys)


def test_movescu_sends_a_study_to_storescp_byte_for_byte(run: Run, receiver: Path, generated_set: GeneratedSet) -> None:
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY_UID}")
    assert "Received Final Move Response (Success)" in run("movescu", "-S", "-aem", "DCMTK", *keys)
    assert data_sets(receiver.iterdir()) == data_sets(generated_set.files)


def test_movescu_to_an_unknown_destination_is_refused(node: RunningNode, dcmtk: Callable[[str], str]) -> None:
    command = [dcmtk("movescu"), "-v", "-S", "-aem", "NOBODY", "-aec", node.ae_title, "127.0.0.1", str(node.port)]
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY_UID}")
    done = subprocess.run([*command, *keys], capture_output=True, text=True, timeout=60, check=False)
    assert "MoveDestinationUnknown" in done.stdout + done.stderr


@pytest.mark.parametrize(("model", "level"), [("-P", "PATIENT"), ("-S", "STUDY")])
def test_getscu_gets_everything_byte_for_byte(
    run: Run, model: str, level: str, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    key = f"PatientID={PATIENT_ID}" if level == "PATIENT" else f"StudyInstanceUID={STUDY_UID}"
    run("getscu", model, "-B", "-od", tmp_path, "-k", f"QueryRetrieveLevel={level}", "-k", key)
    ours, theirs = data_sets(tmp_path.iterdir()), data_sets(generated_set.files)
    assert ours.keys() == theirs.keys()
    # getscu takes its first choice of syntax, explicit little endian, and writes sequences anew.
    rewritten = ("2.25.7100.2.", "2.25.7100.5.", "2.25.7100.6.")
    as_kept = [uid for uid in theirs if not uid.startswith(rewritten)]
    assert len(as_kept) == 12
    assert all(ours[uid] == theirs[uid] for uid in as_kept)
