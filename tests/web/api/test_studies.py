"""The list of studies, a study in detail, every attribute of an object, over HTTP."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from radfuse.jobs import NewJob
from radfuse.services.access_log import AccessQuery
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.web.api.conftest import RunningApi

STUDY = f"/studies/{STUDY_UID}"


def test_a_study_is_listed_with_what_it_holds(filled_api: RunningApi, generated_set: GeneratedSet) -> None:
    page = filled_api.get("/studies")
    assert page["next"] is None
    assert page["understood"] == []
    (study,) = page["studies"]
    assert study["StudyInstanceUID"] == STUDY_UID
    assert study["PatientName"] == "Test^Generated"
    assert study["PatientID"] == PATIENT_ID
    assert study["StudyDate"] == "20240229"
    assert {"CT", "MR", "PT"} <= set(study["ModalitiesInStudy"])
    assert study["NumberOfStudyRelatedInstances"] == len(generated_set.files)
    assert study["size_bytes"] > 0
    assert study["first_arrived_s"] <= study["last_arrived_s"]


@pytest.mark.parametrize(
    "words", ["gener", "CT", "GEN-0001 pt", "2024-02-29", "test, gen", '"generated study"', STUDY_UID]
)
def test_it_is_found_by_words_of_every_kind(words: str, filled_api: RunningApi) -> None:
    page = filled_api.get("/studies", q=words)
    assert [study["StudyInstanceUID"] for study in page["studies"]] == [STUDY_UID]
    assert page["understood"]


@pytest.mark.parametrize("words", ["nobody", "XA", "2023", "%", "_est", "CT nobody", "<b>", "' OR 1=1 --"])
def test_it_is_not_found_by_what_does_not_fit(words: str, filled_api: RunningApi) -> None:
    assert filled_api.get("/studies", q=words)["studies"] == []


def test_what_the_words_were_taken_for_is_said(filled_api: RunningApi) -> None:
    said = filled_api.get("/studies", q="pt smi")["understood"]
    assert [word["text"] for word in said] == ["pt", "smi"]
    assert said[0]["meaning"] == "modality PT"


def test_a_study_opens_to_its_series_each_with_a_picture_that_is_there(
    filled_api: RunningApi, generated_set: GeneratedSet
) -> None:
    detail = filled_api.get(STUDY)
    series = {each["Modality"]: each for each in detail["series"]}
    assert detail["study"]["StudyInstanceUID"] == STUDY_UID
    assert series["CT"]["NumberOfSeriesRelatedInstances"] == len(generated_set.ct)
    picture = filled_api.http.get(filled_api.url + series["CT"]["thumbnail"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert series["RTSTRUCT"]["thumbnail"] == ""


def test_a_series_opens_to_its_instances_in_pages(filled_api: RunningApi, generated_set: GeneratedSet) -> None:
    ct = next(each for each in filled_api.get(STUDY)["series"] if each["Modality"] == "CT")
    path = f"{STUDY}/series/{ct['SeriesInstanceUID']}"
    whole = filled_api.get(path)
    assert whole["next"] is None
    numbers = [each["InstanceNumber"] for each in whole["instances"]]
    assert numbers == [str(number) for number in range(1, len(generated_set.ct) + 1)]
    assert whole["instances"][0]["sop_class_name"] == "CT Image Storage"
    assert whole["instances"][0]["transfer_syntax_name"] == "Explicit VR Little Endian"
    first = filled_api.get(path, limit=2)
    second = filled_api.get(path, limit=1000, cursor=first["next"])
    assert first["instances"] + second["instances"] == whole["instances"]


def test_every_attribute_of_an_object_can_be_read(filled_api: RunningApi) -> None:
    ct = next(each for each in filled_api.get(STUDY)["series"] if each["Modality"] == "CT")
    path = f"{STUDY}/series/{ct['SeriesInstanceUID']}"
    instance = filled_api.get(path)["instances"][0]["SOPInstanceUID"]
    lines = {line["tag"]: line for line in filled_api.get(f"{path}/instances/{instance}/attributes")}
    assert lines["(0002,0010)"]["value"].endswith("(Explicit VR Little Endian)")
    assert lines["(0010,0010)"] == {
        "tag": "(0010,0010)",
        "keyword": "PatientName",
        "name": "Patient's Name",
        "vr": "PN",
        "value": "Test, Generated",
        "depth": 0,
        "item": "",
    }
    assert lines["(0008,0020)"]["value"] == "2024-02-29"
    assert lines["(7FE0,0010)"]["value"] == "2,048 bytes"


def test_pages_of_studies_follow_one_another(api: RunningApi) -> None:
    assert api.get("/studies") == {"studies": [], "next": None, "understood": []}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/studies/1.2.3", 404),
        ("/studies/1.2.3/series/1.2.4", 404),
        ("/studies/1.2.3/series/1.2.4/instances/1.2.5/attributes", 404),
        ("/studies/%2e%2e%2fetc", 404),
        ("/studies/abc", 400),
        ("/studies/1.2.3/series/x", 400),
        ("/studies?limit=0", 400),
        ("/studies?limit=x", 400),
        ("/studies?sort=size", 400),
        ("/studies?cursor=bogus", 400),
        ("/studies?cursor=%00", 400),
        ("/studies?cursor=WyJkYXRlIix0cnVlLDEsMl0", 400),
        ("/studies?database=other", 404),
        (f"/studies?q={quote('x' * 501)}", 400),
    ],
)
def test_what_cannot_be_is_said_to_be_so(path: str, status: int, filled_api: RunningApi) -> None:
    assert filled_api.problem("GET", path)["status"] == status


def test_badges_tell_what_goes_on(filled_api: RunningApi) -> None:
    jobs = filled_api.desk.jobs
    number = jobs.submit(
        NewJob("delete", "delete default", "all", {"database": "default"}, delay_s=300, studies=[STUDY_UID])
    )
    (study,) = filled_api.get("/studies")["studies"]
    due_s = jobs.get(number).next_attempt_s
    assert {"kind": "leaving", "due_s": due_s, "job": number} in study["badges"]
    assert any("Delete all" in entry["what"] and entry["job"] == number for entry in filled_api.get(f"{STUDY}/history"))
    jobs.cancel(number)
    (study,) = filled_api.get("/studies")["studies"]
    assert not [badge for badge in study["badges"] if badge["kind"] == "leaving"]


def test_what_is_here_of_a_study_is_told_and_not_logged(filled_api: RunningApi, generated_set: GeneratedSet) -> None:
    before = _lines(filled_api)
    assert filled_api.get(f"{STUDY}/holding") == {"instances": len(generated_set.files)}
    assert filled_api.get("/studies/1.2.3/holding") == {"instances": 0}
    assert _lines(filled_api) == before
    assert filled_api.problem("GET", "/studies/none/holding")["status"] == 400


def _lines(api: RunningApi) -> list[tuple[str, int]]:
    api.desk.access_log.flush()
    return [(entry.action, entry.count) for entry in api.desk.access_log.page(AccessQuery())[0]]


def test_the_history_tells_what_arrived(filled_api: RunningApi, generated_set: GeneratedSet) -> None:
    told = [entry["what"] for entry in filled_api.get(f"{STUDY}/history")]
    assert any(what.startswith(f"{len(generated_set.files)} objects of") for what in told)
