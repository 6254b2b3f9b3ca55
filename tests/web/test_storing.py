"""STOW-RS: what comes well is kept, what does not is told of, and no request costs more than it may."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydicom
import pytest
from dicomweb_client import DICOMwebClient

from tests.archive.objects import AnObject, stored_objects
from tests.jobs.working import until
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.web.conftest import RunningWeb, ServeWeb

DICOM = "application/dicom"
BOUNDARY = "a-boundary"
TYPE = f'multipart/related; type="{DICOM}"; boundary={BOUNDARY}'
FAILED, KEPT = "00081198", "00081199"


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """A body of parts, each with its headers."""
    pieces = [f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts]
    return b"".join(pieces) + f"--{BOUNDARY}--\r\n".encode()


def dicom(*contents: bytes) -> bytes:
    return multipart(*((f"Content-Type: {DICOM}", content) for content in contents))


def part10(stored: AnObject) -> bytes:
    """A Part 10 file of a small object."""
    from radfuse.dicom import FileMeta, build_file_meta

    origin = stored.origin()
    meta = FileMeta(origin.sop_class_uid, origin.sop_instance_uid, origin.transfer_syntax_uid)
    return build_file_meta(meta) + stored.data_set()


def referenced(answer: Any, sequence: str) -> list[tuple[str, int]]:
    """(SOP Instance UID, Failure Reason) of the items of a sequence."""
    items = answer.get(sequence, {}).get("Value", [])
    return [
        (item.get("00081155", {}).get("Value", [""])[0], item.get("00081197", {}).get("Value", [0])[0])
        for item in items
    ]


def test_dicomweb_client_stores_and_gets_back_the_same(web: RunningWeb, generated_set: GeneratedSet) -> None:
    client = DICOMwebClient(web.dicomweb)
    stored = {each.SOPInstanceUID: each for each in map(pydicom.dcmread, generated_set.files)}
    answer = client.store_instances(list(stored.values()))
    assert len(answer.ReferencedSOPSequence) == len(stored)
    assert "FailedSOPSequence" not in answer
    got = client.retrieve_study(STUDY_UID, media_types=((DICOM, "*"),))
    assert {each.SOPInstanceUID: each for each in got} == stored


def test_the_answer_says_where_each_object_is(web: RunningWeb) -> None:
    response = web.post(dicom(part10(AnObject("2.25.7"))), TYPE)
    assert response.status_code == 200
    answer = response.json()
    assert answer["00081190"]["Value"] == [f"{web.dicomweb}/studies/2.25.10"]
    (item,) = answer[KEPT]["Value"]
    assert item["00081150"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert web.http.get(item["00081190"]["Value"][0] + "/metadata").json()[0]["00080018"]["Value"] == ["2.25.7"]


def test_a_broken_part_among_good_ones_is_told_of_and_the_good_ones_are_kept(web: RunningWeb) -> None:
    cut = part10(AnObject("2.25.8"))[:-3]
    body = dicom(part10(AnObject("2.25.7")), b"garbage", cut, part10(AnObject("2.25.9")))
    response = web.post(body, TYPE)
    assert response.status_code == 202
    assert [uid for uid, _ in referenced(response.json(), KEPT)] == ["2.25.7", "2.25.9"]
    assert referenced(response.json(), FAILED) == [("", 0xC000), ("2.25.8", 0xA900)]
    assert set(stored_objects(web.archive)) == {"2.25.7", "2.25.9"}


def test_nothing_but_broken_parts_is_a_conflict(web: RunningWeb) -> None:
    response = web.post(dicom(b"garbage"), TYPE)
    assert response.status_code == 409
    assert stored_objects(web.archive) == {}


def test_an_object_of_another_study_than_the_path_names_is_refused(web: RunningWeb) -> None:
    body = dicom(part10(AnObject("2.25.7", study="2.25.11")), part10(AnObject("2.25.8")))
    response = web.post(body, TYPE, "/studies/2.25.10")
    assert response.status_code == 202
    assert referenced(response.json(), FAILED) == [("2.25.7", 0xA900)]
    assert set(stored_objects(web.archive)) == {"2.25.8"}


def test_the_same_object_again_is_a_success(web: RunningWeb) -> None:
    for _ in range(2):
        assert web.post(dicom(part10(AnObject("2.25.7"))), TYPE).status_code == 200


def test_large_objects_go_through_in_pieces(web: RunningWeb) -> None:
    large = AnObject("2.25.7", pixels=bytes(range(256)) * 40_000)
    small = AnObject("2.25.8")
    assert web.post(dicom(part10(large), part10(small)), TYPE).status_code == 200
    got = web.get("/studies/2.25.10/series/2.25.20/instances/2.25.7/frames/1")
    assert got.status_code == 404  # it has no Rows
    whole = web.get("/studies/2.25.10/series/2.25.20/instances/2.25.7", f"{DICOM}; transfer-syntax=*")
    assert whole.content.endswith(large.data_set())


def test_an_object_alone_is_stored_without_multipart(web: RunningWeb) -> None:
    assert web.post(part10(AnObject("2.25.7")), DICOM).status_code == 200
    assert set(stored_objects(web.archive)) == {"2.25.7"}


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "multipart/form-data; boundary=x", 'multipart/related; type="image/jpeg"; boundary=x', "x"],
)
def test_another_type_of_body_is_not_supported(web: RunningWeb, content_type: str) -> None:
    assert web.post(dicom(part10(AnObject("2.25.7"))), content_type).status_code in (400, 415)
    assert stored_objects(web.archive) == {}


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("a-boundary", b""),
        ("a-boundary", b"no boundary at all" * 10_000),
        ("a-boundary", f"--{BOUNDARY}--\r\n".encode()),
        ("a-boundary", f"--{BOUNDARY}\r\nContent-Type: {DICOM}\r\n\r\ncut".encode()),
        ("a-boundary", f"--{BOUNDARY}\r\n{'x' * 40_000}".encode()),
        ("a-boundary", f"--{BOUNDARY}garbage\r\n\r\n".encode()),
        ('"' + "x" * 100 + '"', dicom(b"")),
        ('"a\\\r"', dicom(b"")),
    ],
    ids=["empty", "no boundary", "no part", "cut", "endless head", "no line end", "long boundary", "bad boundary"],
)
def test_a_body_that_is_no_multipart_body_is_a_bad_request(web: RunningWeb, boundary: str, body: bytes) -> None:
    content_type = f'multipart/related; type="{DICOM}"; boundary={boundary}'.replace("\r", " ")
    assert web.post(body, content_type).status_code == 400
    assert stored_objects(web.archive) == {}


def test_what_was_kept_before_the_body_broke_is_told(web: RunningWeb) -> None:
    body = dicom(part10(AnObject("2.25.7")), part10(AnObject("2.25.8")))
    response = web.post(body[:-60], TYPE)
    assert response.status_code == 202
    assert [uid for uid, _ in referenced(response.json(), KEPT)] == ["2.25.7"]
    assert set(stored_objects(web.archive)) == {"2.25.7"}


def test_a_body_over_the_limit_is_refused_before_it_is_read(serve_web: ServeWeb) -> None:
    web = serve_web(body_limit_bytes=1000)
    assert web.post(bytes(2000), TYPE).status_code == 413


def test_a_body_over_the_limit_is_refused_without_a_length_too(serve_web: ServeWeb) -> None:
    web = serve_web(body_limit_bytes=1000)

    def endless() -> Iterable[bytes]:
        yield f"--{BOUNDARY}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
        for _ in range(100):
            yield bytes(1000)

    response = web.http.post(web.dicomweb + "/studies", content=endless(), headers={"Content-Type": TYPE})
    assert response.status_code == 413


def raw_head(length: int) -> bytes:
    """The head of a store request, for a socket of our own."""
    lines = (
        "POST /dicom-web/studies HTTP/1.1",
        "Host: x",
        f"Content-Type: {TYPE}",
        f"Content-Length: {length}",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def test_four_gigabytes_that_are_only_announced_cost_nothing(serve_web: ServeWeb) -> None:
    web = serve_web(body_limit_bytes=1 << 30)
    address = urlsplit(web.url)
    with socket.create_connection((address.hostname or "", address.port or 0), 30) as client:
        head = (
            f"POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\nContent-Length: {4 << 30}\r\n\r\n"
        )
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_goes_away_leaves_nothing_half_stored(web: RunningWeb) -> None:
    address = urlsplit(web.url)
    body = dicom(part10(AnObject("2.25.7", pixels=bytes(5_000_000))))
    with socket.create_connection((address.hostname or "", address.port or 0), 30) as client:
        client.sendall(raw_head(len(body)) + body[:4_000_000])
    assert web.post(dicom(part10(AnObject("2.25.8"))), TYPE).status_code == 200
    assert set(stored_objects(web.archive)) == {"2.25.8"}
    until(lambda: not list((web.archive.settings.folder / "incoming").glob("*/*-*")))


def test_a_compressed_body_is_not_inflated(web: RunningWeb) -> None:
    body = gzip.compress(dicom(part10(AnObject("2.25.7"))))
    response = web.http.post(
        web.dicomweb + "/studies", content=body, headers={"Content-Type": TYPE, "Content-Encoding": "gzip"}
    )
    assert response.status_code == 415
    assert stored_objects(web.archive) == {}


def test_a_uid_that_is_none_is_refused(web: RunningWeb) -> None:
    response = web.post(dicom(part10(AnObject("../../etc/passwd"))), TYPE)
    assert response.status_code == 409
    assert not (Path("/etc/passwd.dcm")).exists()


# --- DICOM JSON ----------------------------------------------------------------------------------


JSON_TYPE = f'multipart/related; type="application/dicom+json"; boundary={BOUNDARY}'


def as_json(dataset: pydicom.Dataset) -> tuple[dict[str, Any], dict[str, bytes]]:
    """An object as pydicom writes it: DICOM JSON and its bulk data."""
    bulk: dict[str, bytes] = {}

    def address(element: pydicom.DataElement) -> str:
        bulk[f"bulk/{len(bulk)}"] = element.value
        return f"bulk/{len(bulk) - 1}"

    return dataset.to_json_dict(bulk_data_threshold=1024, bulk_data_element_handler=address), bulk


def json_body(metadata: object, bulk: dict[str, bytes], bulk_type: str = "application/octet-stream") -> bytes:
    parts = [("Content-Type: application/dicom+json", json.dumps(metadata).encode())]
    parts += [(f"Content-Type: {bulk_type}\r\nContent-Location: {uri}", value) for uri, value in bulk.items()]
    return multipart(*parts)


def test_objects_in_json_with_bulk_data_come_back_as_they_were_meant(
    web: RunningWeb, generated_set: GeneratedSet
) -> None:
    for path in (generated_set.ct[0], generated_set.rtstruct, generated_set.multiframe):
        meant = pydicom.dcmread(path)
        metadata, bulk = as_json(meant)
        response = web.post(json_body([metadata], bulk), JSON_TYPE)
        assert response.status_code == 200, response.text
        client = DICOMwebClient(web.dicomweb)
        got = client.retrieve_instance(meant.StudyInstanceUID, meant.SeriesInstanceUID, meant.SOPInstanceUID)
        for element in meant:
            if element.keyword != "SpecificCharacterSet":
                assert got[element.tag].value == element.value, element.keyword


def test_text_in_json_is_kept_as_unicode(web: RunningWeb, generated_set: GeneratedSet) -> None:
    meant = pydicom.dcmread(generated_set.rtstruct)
    metadata, bulk = as_json(meant)
    metadata["00100010"]["Value"] = [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]
    assert web.post(json_body([metadata], bulk), JSON_TYPE).status_code == 200
    (study,) = web.get("/studies?PatientName=*山田*").json()
    assert study["00100010"]["Value"][0]["Ideographic"] == "山田^太郎"


def test_compressed_pixels_in_json_are_encapsulated(web: RunningWeb, generated_set: GeneratedSet) -> None:
    import imagecodecs

    meant = pydicom.dcmread(generated_set.ct[0])
    metadata, _ = as_json(meant)
    metadata["7FE00010"] = {"vr": "OB", "BulkDataURI": "pixels"}
    frame = bytes(imagecodecs.jpeg2k_encode(meant.pixel_array.view("u2"), codecformat="j2k", reversible=True))
    bulk_type = 'image/jp2; transfer-syntax="1.2.840.10008.1.2.4.90"'
    response = web.post(json_body([metadata], {"pixels": frame}, bulk_type), JSON_TYPE)
    assert response.status_code == 200, response.text
    url = response.json()[KEPT]["Value"][0]["00081190"]["Value"][0]
    got = web.http.get(url + "/frames/1", headers={"Accept": "image/jp2"})
    assert got.content.rstrip(b"\0") == frame.rstrip(b"\0")


@pytest.mark.parametrize(
    "change",
    [
        {"7FE00010": {"vr": "OW", "BulkDataURI": "nowhere"}},
        {"00080018": {"vr": "UI", "Value": ["../x"]}},
        {"00100010": {"vr": "PN", "Value": "x"}},
        {"00100010": {"vr": "??"}},
        {"0010": {"vr": "PN"}},
        {"00091002": {"vr": "OB", "InlineBinary": "*"}},
        {"00280010": {"vr": "US", "Value": ["many"]}},
        {"00280010": {"vr": "US", "Value": [70000]}},
        {"00100020": {"vr": "LO", "Value": [{"a": 1}]}},
        {"00100020": {"vr": "LO", "Value": ["\ud800"]}},
    ],
)
def test_json_that_is_no_object_is_refused_and_the_others_are_kept(
    web: RunningWeb, generated_set: GeneratedSet, change: dict[str, Any]
) -> None:
    good, bulk = as_json(pydicom.dcmread(generated_set.ct[0]))
    bad = as_json(pydicom.dcmread(generated_set.rtstruct))[0] | change
    response = web.post(json_body([bad, good], bulk), JSON_TYPE)
    assert response.status_code == 202
    assert len(referenced(response.json(), KEPT)) == 1
    assert len(stored_objects(web.archive)) == 1


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff\xfe"])
def test_metadata_that_are_no_json_are_a_bad_request(web: RunningWeb, text: bytes) -> None:
    body = multipart(("Content-Type: application/dicom+json", text))
    assert web.post(body, JSON_TYPE).status_code == 400


def test_metadata_over_their_limit_are_too_large(serve_web: ServeWeb) -> None:
    web = serve_web(json_limit_bytes=1000)
    body = multipart(("Content-Type: application/dicom+json", b" " * 2000))
    assert web.post(body, JSON_TYPE).status_code == 413
