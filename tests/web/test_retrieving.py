"""WADO-RS: what was stored comes back, whole, in the representation that was asked for."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1

from tests.archive.objects import AnObject, long_ago, store, store_files
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.web.conftest import RunningWeb, ServeWeb, keep

DICOM = "application/dicom"
MULTIPART = 'multipart/related; type="application/dicom"'


def path_of(dataset: pydicom.Dataset) -> str:
    return f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"


def parts_of(content: bytes, content_type: str) -> list[tuple[str, bytes]]:
    """(headers, body) of the parts of a multipart body, read by nobody's library but plain splitting."""
    boundary = content_type.rpartition("boundary=")[2].strip('"').encode()
    assert content.rstrip().endswith(b"--" + boundary + b"--")
    parts = content.split(b"--" + boundary)[1:-1]
    split = [part.removeprefix(b"\r\n").removesuffix(b"\r\n").partition(b"\r\n\r\n") for part in parts]
    return [(head.decode(), body) for head, _, body in split]


def read(content: bytes) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(content))


def data_set_bytes(path: Path) -> bytes:
    """What follows the File Meta Information."""
    content = path.read_bytes()
    length = pydicom.dcmread(path, stop_before_pixels=True).file_meta.FileMetaInformationGroupLength
    return content[132 + 12 + length :]


def test_dicomweb_client_gets_the_study_as_it_was_stored(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    client = DICOMwebClient(filled.dicomweb)
    got = {each.SOPInstanceUID: each for each in client.retrieve_study(STUDY_UID, media_types=((DICOM, "*"),))}
    assert len(got) == len(generated_set.files)
    for path in generated_set.files:
        stored = pydicom.dcmread(path)
        assert got[stored.SOPInstanceUID] == stored
        assert got[stored.SOPInstanceUID].file_meta.TransferSyntaxUID == stored.file_meta.TransferSyntaxUID


def test_an_instance_alone_is_byte_for_byte_what_was_received(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    path = generated_set.ct[0]
    response = filled.get(path_of(pydicom.dcmread(path)), f"{DICOM}; transfer-syntax=*")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(DICOM)
    assert response.content.endswith(data_set_bytes(path))
    assert len(response.content) == int(response.headers["content-length"])


def test_a_series_in_the_stored_syntax_says_its_length(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    dataset = pydicom.dcmread(generated_set.ct[0])
    path = f"/studies/{STUDY_UID}/series/{dataset.SeriesInstanceUID}"
    response = filled.get(path, f"{MULTIPART}; transfer-syntax=*")
    assert int(response.headers["content-length"]) == len(response.content)
    parts = parts_of(response.content, response.headers["content-type"])
    stored = {data_set_bytes(path) for path in generated_set.ct}
    assert len(parts) == len(stored)
    assert all(any(body.endswith(each) for each in stored) for _, body in parts)
    assert all("Content-Type: application/dicom; transfer-syntax=" in head for head, _ in parts)


def implicit_instance(generated_set: GeneratedSet) -> Path:
    for path in generated_set.files:
        dataset = pydicom.dcmread(path)
        if dataset.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian and "PixelData" in dataset:
            return path
    pytest.skip("no image in implicit VR")


def explicit_instance(generated_set: GeneratedSet) -> Path:
    for path in generated_set.files:
        dataset = pydicom.dcmread(path)
        if dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian and "PixelData" in dataset:
            return path
    pytest.skip("no image in explicit VR")


def test_without_a_transfer_syntax_objects_come_in_explicit_vr(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    stored = pydicom.dcmread(implicit_instance(generated_set))
    for accept in (DICOM, "*/*", MULTIPART):
        response = filled.get(path_of(stored), accept)
        assert response.status_code == 200
        is_multipart = response.headers["content-type"].startswith("multipart")
        content = (
            parts_of(response.content, response.headers["content-type"])[0][1] if is_multipart else response.content
        )
        got = read(content)
        assert got.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert got.pixel_array.tobytes() == stored.pixel_array.tobytes()


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless])
def test_an_object_is_compressed_without_loss_where_that_is_asked_for(
    filled: RunningWeb, generated_set: GeneratedSet, syntax: str
) -> None:
    stored = pydicom.dcmread(explicit_instance(generated_set))
    response = filled.get(path_of(stored), f"{DICOM}; transfer-syntax={syntax}")
    assert response.status_code == 200
    assert read(response.content).file_meta.TransferSyntaxUID == syntax
    frame = filled.get(path_of(stored) + "/frames/1", "application/octet-stream")
    compressed = filled.get(path_of(stored) + "/frames/1", f'multipart/related; type="*/*"; transfer-syntax={syntax}')
    ((head, body),) = parts_of(compressed.content, compressed.headers["content-type"])
    assert f"transfer-syntax={syntax}" in head
    assert body[:2] in (b"\xff\xd8", b"\xff\x4f")
    assert frame.content == stored.PixelData[: len(frame.content)]


@pytest.mark.parametrize(
    "accept",
    ["image/jpeg", "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.102", 'multipart/related; type="image/jp2"'],
)
def test_a_representation_that_we_do_not_have_is_not_acceptable(
    filled: RunningWeb, generated_set: GeneratedSet, accept: str
) -> None:
    response = filled.get(path_of(pydicom.dcmread(generated_set.ct[0])), accept)
    assert response.status_code == 406
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("accept", ["application/dicom; transfer-syntax=x", "nonsense", "a/b" + ", a/b" * 100])
def test_a_malformed_accept_header_is_a_bad_request(
    filled: RunningWeb, generated_set: GeneratedSet, accept: str
) -> None:
    assert filled.get(path_of(pydicom.dcmread(generated_set.ct[0])), accept).status_code == 400


@pytest.mark.parametrize("below", ["", "/metadata", "/rendered", "/thumbnail"])
def test_what_is_not_kept_is_not_found(filled: RunningWeb, below: str) -> None:
    for path in (
        "/studies/1.2.3",
        f"/studies/{STUDY_UID}/series/1.2.3",
        f"/studies/{STUDY_UID}/series/1.2/instances/1",
    ):
        response = filled.get(path + below)
        assert response.status_code == 404
        assert response.json()["title"] == "Not Found"


def test_an_instance_is_not_found_under_another_study(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0]))
    assert filled.get(path.replace(STUDY_UID, "1.2.3")).status_code == 404


# --- metadata ------------------------------------------------------------------------------------


def test_metadata_of_the_study_say_everything_but_bulk_data(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    answers = DICOMwebClient(filled.dicomweb).retrieve_study_metadata(STUDY_UID)
    found = {each["00080018"]["Value"][0]: each for each in answers}
    assert len(found) == len(generated_set.files)
    for path in generated_set.files:
        stored = pydicom.dcmread(path)
        got = pydicom.Dataset.from_json(found[stored.SOPInstanceUID], lambda *_: b"")
        for element in stored:
            if element.keyword not in ("PixelData", "SpecificCharacterSet"):
                assert got[element.tag].value == element.value, element.keyword


def test_bulk_data_are_where_metadata_say(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    stored = pydicom.dcmread(generated_set.ct[0])
    (metadata,) = filled.get(path_of(stored) + "/metadata").json()
    url = metadata["7FE00010"]["BulkDataURI"]
    assert url == f"{filled.dicomweb}{path_of(stored)}/bulkdata/7FE00010"
    response = filled.http.get(url)
    ((_, body),) = parts_of(response.content, response.headers["content-type"])
    assert body == stored.PixelData


@pytest.mark.parametrize("is_little", [True, False])
def test_large_values_are_bulk_data_in_little_endian(web: RunningWeb, tmp_path: Path, is_little: bool) -> None:
    values = np.arange(4000, dtype="<u2")
    dataset = read_small(tmp_path, is_little, values)
    (metadata,) = web_with(web, tmp_path).get(path_of(dataset) + "/metadata").json()
    url = metadata["00281201"]["BulkDataURI"]
    alone = web.http.get(url, headers={"Accept": "application/octet-stream"})
    assert alone.content == values.tobytes()
    assert web.http.get(url.replace("00281201", "00281202")).status_code == 404


def read_small(folder: Path, is_little: bool, values: Any) -> pydicom.Dataset:
    """Write an object with a long palette to ``folder``, little or big endian."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.PatientID = "2.25.2", "2.25.3", "P"
    dataset.add_new(0x00281201, "OW", values.astype("<u2" if is_little else ">u2").tobytes())
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if is_little else pydicom.uid.ExplicitVRBigEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dataset.file_meta = meta
    pydicom.dcmwrite(folder / "one.dcm", dataset, enforce_file_format=True, little_endian=is_little, implicit_vr=False)
    return dataset


def web_with(web: RunningWeb, folder: Path) -> RunningWeb:
    keep(web.archive, folder / "one.dcm")
    return web


def test_text_of_every_character_set_is_unicode_in_metadata(web: RunningWeb, shared_data: Path) -> None:
    path = shared_data / "charsets" / "chrH31.dcm"
    if not path.exists():
        pytest.skip("the file is not there")
    dataset = pydicom.dcmread(path)
    if "SOPInstanceUID" not in dataset:
        pytest.skip("the file has no UIDs")
    keep(web.archive, path)
    (metadata,) = web.get(f"/studies/{dataset.StudyInstanceUID}/metadata").json()
    (name,) = metadata["00100010"]["Value"]
    assert name == {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    assert metadata["00080005"]["Value"] == ["ISO_IR 192"]
    (found,) = web.get("/studies?PatientName=*山田*").json()
    assert found["00100010"]["Value"] == [name]


def test_markup_in_a_name_is_data(web: RunningWeb) -> None:
    name = '<script>alert("x")</script>'
    store(web.archive, AnObject("2.25.7", name=name))
    response = web.get("/studies/2.25.10/metadata")
    assert response.headers["content-type"] == "application/dicom+json"
    assert response.json()[0]["00100010"]["Value"] == [{"Alphabetic": name}]


# --- conditions and ranges -----------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/bulkdata/7FE00010"])
def test_what_the_client_has_already_is_not_sent_again(
    filled: RunningWeb, generated_set: GeneratedSet, below: str
) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0])) + below
    first = filled.get(path)
    assert first.status_code == 200
    again = filled.get(path, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert filled.get(path, **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("0-9", 0, 9), ("100-", 100, None), ("-50", -50, None), ("140-400", 140, 400)]
)
def test_a_part_of_an_instance_is_sent(
    filled: RunningWeb, generated_set: GeneratedSet, asked: str, first: int, last: int | None
) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0]))
    whole = filled.get(path, f"{DICOM}; transfer-syntax=*").content
    response = filled.get(path, f"{DICOM}; transfer-syntax=*", Range=f"bytes={asked}")
    assert response.status_code == 206
    assert response.content == whole[first : None if last is None else last + 1]
    assert response.headers["content-range"].endswith(f"/{len(whole)}")


def test_a_range_behind_the_end_cannot_be_satisfied(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    path = path_of(pydicom.dcmread(generated_set.ct[0]))
    response = filled.get(path, f"{DICOM}; transfer-syntax=*", Range="bytes=99999999-")
    assert response.status_code == 416


# --- what goes wrong on the way ------------------------------------------------------------------


def test_an_object_that_vanishes_during_a_download_breaks_it_visibly(web: RunningWeb) -> None:
    objects = [AnObject(f"2.25.7.{number}", pixels=bytes(1 << 20)) for number in range(1, 33)]
    for each in objects:
        store(web.archive, each)
    web.archive.settle()
    for each in objects:
        long_ago(web.archive.settings.folder, each.uid)  # one that has only just arrived would be waited for
    address = urlsplit(web.url)
    with socket.create_connection((address.hostname or "", address.port or 0), 30) as client:
        request = "GET /dicom-web/studies/2.25.10 HTTP/1.1\r\nHost: x\r\n"
        request += 'Accept: multipart/related; type="application/dicom"; transfer-syntax=*\r\n\r\n'
        client.sendall(request.encode())
        head = client.recv(4096)
        assert b"200 OK" in head
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        for path in store_files(web.archive.settings.folder):
            path.unlink()
        received = len(head.partition(b"\r\n\r\n")[2])
        while more := client.recv(1 << 20):
            received += len(more)
        assert received < length


def test_a_damaged_object_is_no_success(web: RunningWeb) -> None:
    store(web.archive, AnObject("2.25.7.1", pixels=bytes(1000)))
    web.archive.settle()
    (path,) = store_files(web.archive.settings.folder)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    response = web.get("/studies/2.25.10", f"{MULTIPART}; transfer-syntax=*")
    assert response.status_code == 500
    path.unlink()


def test_addresses_are_those_of_the_public_url_when_one_is_set(serve_web: ServeWeb) -> None:
    web = serve_web(public_url="https://pacs.example")
    store(web.archive, AnObject("2.25.7.1"))
    (study,) = web.get("/studies", Host="evil.example").json()
    assert study["00081190"]["Value"] == ["https://pacs.example/dicom-web/studies/2.25.10"]
