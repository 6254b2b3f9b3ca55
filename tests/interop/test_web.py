"""DICOMweb and DIMSE are two doors of one archive: what comes in by one is found by the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pydicom
import pytest
from dicomweb_client import DICOMwebClient

from tests.interop.client import as_sent
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.support.servers import RunningNode, radfuse, running_node

SETTINGS = '[databases]\nSECOND = "second"\n'


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    """The whole service, empty, with a second database."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "radfuse.toml").write_text(SETTINGS)
    with running_node(data, "--http-port", "0") as running:
        yield running


@pytest.fixture
def client(node: RunningNode) -> DICOMwebClient:
    """A client of the default database."""
    return DICOMwebClient(f"{base_of(node)}/dicom-web")


def base_of(node: RunningNode) -> str:
    found = re.search(r"web at (http://\S+?),", node.ready_line)
    assert found, node.ready_line
    return found[1]


def found_by_dimse(node: RunningNode, title: str = "RADFUSE") -> dict[str, int]:
    """Instances by modality, as C-FIND counts them."""
    words = ("find", "--at", f"{title}@127.0.0.1:{node.port}", "--level", "series", f"StudyInstanceUID={STUDY_UID}")
    done = radfuse(*words, "--data", str(node.data), "--json")
    assert done.returncode == 0, done.stderr
    return {row["Modality"]: row["NumberOfSeriesRelatedInstances"] for row in json.loads(done.stdout)}


def test_what_is_stored_over_the_web_is_found_and_fetched_by_both(
    node: RunningNode, client: DICOMwebClient, generated_set: GeneratedSet
) -> None:
    sent = [pydicom.dcmread(path) for path in (*generated_set.ct, *generated_set.pet)]
    client.store_instances(sent)
    assert found_by_dimse(node) == {"CT": len(generated_set.ct), "PT": len(generated_set.pet)}
    series = client.search_for_series(STUDY_UID)
    assert {each["00080060"]["Value"][0] for each in series} == {"CT", "PT"}
    back = {each.SOPInstanceUID: each for each in client.retrieve_study(STUDY_UID)}
    assert {each.SOPInstanceUID: each for each in sent} == back
    assert len(client.retrieve_study_metadata(STUDY_UID)) == len(sent)
    ct = sent[0]
    (frame,) = client.retrieve_instance_frames(STUDY_UID, ct.SeriesInstanceUID, ct.SOPInstanceUID, [1])
    assert frame == ct.PixelData


def test_what_is_stored_by_dimse_is_found_and_fetched_over_the_web(
    node: RunningNode, client: DICOMwebClient, generated_set: GeneratedSet
) -> None:
    assert client.search_for_studies() == []
    done = radfuse("send", str(generated_set.root), "--to", node.peer, "--data", str(node.data), "--now")
    assert done.returncode == 0, done.stderr
    (study,) = client.search_for_studies(search_filters={"PatientName": "test*"})
    assert study["00201208"]["Value"] == [len(generated_set.files)]
    for path in (generated_set.ct[0], generated_set.rtstruct, generated_set.multiframe):
        original = pydicom.dcmread(path)
        uids = (STUDY_UID, original.SeriesInstanceUID, original.SOPInstanceUID)
        back = client.retrieve_instance(*uids, media_types=(("application/dicom", "*"),))
        assert back == original
        assert back.file_meta.TransferSyntaxUID == as_sent(path).transfer_syntax_uid


def test_a_second_database_is_one_for_both_doors(
    node: RunningNode, client: DICOMwebClient, generated_set: GeneratedSet
) -> None:
    second = DICOMwebClient(f"{base_of(node)}/databases/second/dicom-web")
    second.store_instances([pydicom.dcmread(generated_set.mr[0])])
    assert found_by_dimse(node, "SECOND") == {"MR": 1}
    assert found_by_dimse(node) == {}
    assert client.search_for_studies() == []
    (study,) = httpx.get(f"{base_of(node)}/databases/second/dicom-web/studies").json()
    assert study["00081190"]["Value"] == [f"{base_of(node)}/databases/second/dicom-web/studies/{STUDY_UID}"]
