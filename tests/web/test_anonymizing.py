"""WADO-RS with a project key: what comes is anonymized, what cannot be made safe does not come, nor anything else."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from starlette.requests import Request

from radfuse.services import anonymize_download
from radfuse.services.project_keys import Keys
from radfuse.services.roles import Role
from radfuse.web.dicomweb.anonymizing import retrieve_anonymized
from radfuse.web.identity import Identity, noted, set_identity
from radfuse.web.problems import HttpProblem
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.web.conftest import RunningWeb, keep, serving

MULTIPART = 'multipart/related; type="application/dicom"; transfer-syntax=*'
STUDY = f"/studies/{STUDY_UID}"
_INSTANCE = "/series/2.25.1/instances/2.25.2"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet) -> Iterator[RunningWeb]:
    """With the generated study and the key ``trial-7``. Shared: nothing is added to it."""
    data = tmp_path_factory.mktemp("anonymizing")
    Keys(data).new("trial-7")
    with serving(data / "archive") as start:
        running = start(data=data)
        for path in generated_set.files:
            keep(running.archive, path)
        yield running


def objects_of(content: bytes, content_type: str) -> list[pydicom.FileDataset]:
    boundary = content_type.rpartition("boundary=")[2].encode()
    parts = [part.partition(b"\r\n\r\n")[2] for part in content.split(b"--" + boundary)[1:-1]]
    return [pydicom.dcmread(io.BytesIO(part)) for part in parts]


def path_of(path: Path) -> str:
    header = pydicom.dcmread(path, stop_before_pixels=True)
    return f"/studies/{header.StudyInstanceUID}/series/{header.SeriesInstanceUID}/instances/{header.SOPInstanceUID}"


def test_a_study_comes_anonymized_and_what_cannot_be_is_left_out_and_said(
    web: RunningWeb, generated_set: GeneratedSet
) -> None:
    answer = web.get(f"{STUDY}?anonymize=trial-7&preset=pet", MULTIPART)
    assert answer.status_code == 206
    assert answer.headers["cache-control"] == "no-store"
    got = objects_of(answer.content, answer.headers["content-type"])
    left_out = int(answer.headers["warning"].split('"')[1].split()[0])
    assert len(got) + left_out == len(generated_set.files)
    assert {each.Modality for each in got} >= {"CT", "PT", "MR"}
    assert PATIENT_ID.encode() not in answer.content
    assert {each.PatientIdentityRemoved for each in got} == {"YES"}
    assert len({each.PatientID for each in got}) == len({each.StudyInstanceUID for each in got}) == 1
    assert not list(web.archive.scratch_folder.glob("radfuse-web-*"))


def test_one_object_comes_alone_in_the_syntax_that_is_asked_for(web: RunningWeb, generated_set: GeneratedSet) -> None:
    syntax = "1.2.840.10008.1.2.4.90"
    answer = web.get(
        f"{path_of(generated_set.ct[0])}?anonymize=trial-7&options=patient,device",
        f"application/dicom; transfer-syntax={syntax}",
    )
    assert answer.status_code == 200, answer.text
    got = pydicom.dcmread(io.BytesIO(answer.content))
    assert got.file_meta.TransferSyntaxUID == syntax
    assert got.file_meta.MediaStorageSOPInstanceUID == got.SOPInstanceUID
    assert got.PatientSex == pydicom.dcmread(generated_set.ct[0]).PatientSex
    assert (got.pixel_array == pydicom.dcmread(generated_set.ct[0]).pixel_array).all()


def test_the_same_key_gives_the_same_pseudonym_and_another_another(
    web: RunningWeb, generated_set: GeneratedSet
) -> None:
    def pseudonym(path: Path, key: str) -> str:
        answer = web.get(f"{path_of(path)}?anonymize={key}", "application/dicom; transfer-syntax=*")
        return str(pydicom.dcmread(io.BytesIO(answer.content)).PatientID)

    first, second, other = (
        pseudonym(path, key)
        for path, key in (
            (generated_set.ct[0], "trial-7"),
            (generated_set.pet[0], "trial-7"),
            (generated_set.ct[0], "default"),
        )
    )
    assert first == second != other


def test_what_cannot_be_made_safe_does_not_come_at_all(web: RunningWeb, generated_set: GeneratedSet) -> None:
    answer = web.get(f"{path_of(generated_set.secondary_capture)}?anonymize=trial-7", "application/dicom")
    assert answer.status_code == 422
    assert "its pixels may show" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("?anonymize=trial-9", "there is no key 'trial-9'"),
        ("?anonymize=../trial-7", "is not a name"),
        ("?anonymize=", "is not a name"),
        ("?Anonymize=trial-7", "in small letters"),
        ("?%61nonymize=trial-9", "there is no key 'trial-9'"),
        ("?anonymize=trial-7&preset=nothing", "preset"),
        ("?anonymize=trial-7&options=everything", "options"),
        ("/metadata?anonymize=trial-7", "only whole studies, series and instances"),
        ("/rendered?anonymize=trial-7", "only whole studies, series and instances"),
        ("/thumbnail?anonymize=trial-7", "only whole studies, series and instances"),
        ("/series?anonymize=trial-7", "only whole studies, series and instances"),
        ("/instances?anonymize=trial-7", "only whole studies, series and instances"),
        (f"{_INSTANCE}/frames/1?anonymize=trial-7", "only whole studies, series and instances"),
        (f"{_INSTANCE}/frames/1/rendered?anonymize=trial-7", "only whole studies, series and instances"),
        (f"{_INSTANCE}/bulkdata/7FE00010?anonymize=trial-7", "only whole studies, series and instances"),
    ],
)
def test_what_makes_no_sense_is_refused_and_no_original_comes(path: str, words: str, web: RunningWeb) -> None:
    answer = web.get(STUDY + path)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_more_than_anybody_waits_for_is_refused_before_anything_is_made(
    web: RunningWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anonymize_download, "MOST_BYTES", 1000)
    answer = web.get(f"{STUDY}?anonymize=trial-7", MULTIPART)
    assert answer.status_code == 400
    assert "let a job do it" in answer.json()["detail"]
    assert not list(web.archive.scratch_folder.glob("radfuse-web-*"))


def test_a_reader_may_not_and_the_access_log_is_told_of_it() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": STUDY,
        "headers": [],
        "query_string": b"anonymize=trial-7",
        "path_params": {"study": STUDY_UID},
    }
    set_identity(scope, Identity("a reader", Role.READER))
    with pytest.raises(HttpProblem) as refused:
        asyncio.run(retrieve_anonymized(None, Request(scope)))  # type: ignore[arg-type]  # it never gets there
    assert refused.value.status == 403
    assert [(each.action, each.study, each.subject) for each in noted(scope)] == [("anonymize", STUDY_UID, "trial-7")]
