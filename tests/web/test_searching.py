"""QIDO-RS, judged by dicomweb-client and by what PS3.18 section 8.3.4 says."""

from __future__ import annotations

from typing import Any

import pydicom
import pytest
from dicomweb_client import DICOMwebClient

from tests.support.generate import PATIENT_ID, PATIENT_NAME, STUDY_UID, GeneratedSet
from tests.web.conftest import RunningWeb

JSON = "application/dicom+json"


def found(web: RunningWeb, path: str) -> list[dict[str, Any]]:
    response = web.get(path, JSON)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == JSON
    answers: list[dict[str, Any]] = response.json()
    return answers


def values(answers: list[dict[str, Any]], tag: str) -> list[Any]:
    return [answer[tag]["Value"][0] for answer in answers]


def test_dicomweb_client_finds_the_study_with_the_attributes_of_the_standard(
    filled: RunningWeb, generated_set: GeneratedSet
) -> None:
    (study,) = DICOMwebClient(filled.dicomweb).search_for_studies(search_filters={"PatientName": "test*"})
    answer = pydicom.Dataset.from_json(study)
    assert answer.StudyInstanceUID == STUDY_UID
    assert answer.PatientName == PATIENT_NAME
    assert answer.PatientID == PATIENT_ID
    assert answer.NumberOfStudyRelatedInstances == len(generated_set.files)
    assert {"CT", "PT", "MR"} <= set(answer.ModalitiesInStudy)
    assert answer.RetrieveURL.endswith(f"/dicom-web/studies/{STUDY_UID}")
    assert answer.InstanceAvailability == "ONLINE"


def test_series_and_instances_are_found_below_their_parents(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    series = found(filled, f"/studies/{STUDY_UID}/series?Modality=CT")
    assert values(series, "00080060") == ["CT"]
    assert values(series, "00201209") == [len(generated_set.ct)]
    uid = values(series, "0020000E")[0]
    instances = found(filled, f"/studies/{STUDY_UID}/series/{uid}/instances")
    stored = [pydicom.dcmread(path) for path in generated_set.ct]
    assert set(values(instances, "00080018")) == {dataset.SOPInstanceUID for dataset in stored}
    assert values(instances, "00280010") == [dataset.Rows for dataset in stored]
    assert values(instances, "00280100") == [16] * len(stored)


def test_searches_above_the_study_answer_its_attributes_too(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    assert len(found(filled, "/instances")) == len(generated_set.files)
    (series,) = found(filled, "/series?Modality=MR")
    assert series["00100020"]["Value"] == [PATIENT_ID]


@pytest.mark.parametrize("name", ["PatientID", "00100020", "0010,0020"])
def test_a_key_is_a_keyword_or_a_tag(filled: RunningWeb, name: str) -> None:
    assert len(found(filled, f"/studies?{name}={PATIENT_ID}")) == 1
    assert found(filled, f"/studies?{name}=NOBODY") == []


def test_a_list_of_uids_is_separated_by_commas_or_backslashes(filled: RunningWeb) -> None:
    assert len(found(filled, f"/studies?StudyInstanceUID=1.2.3,{STUDY_UID}")) == 1
    assert len(found(filled, f"/studies?StudyInstanceUID=1.2.3%5C{STUDY_UID}")) == 1


def test_a_dotted_key_matches_inside_a_sequence(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    rtstruct = pydicom.dcmread(generated_set.rtstruct)
    named = rtstruct.StructureSetROISequence[0].ROIName
    path = "/instances?StructureSetROISequence.ROIName="
    assert values(found(filled, path + named), "00080018") == [rtstruct.SOPInstanceUID]
    assert found(filled, path + "nothing") == []


def test_includefield_adds_attributes_and_all_adds_those_of_the_level(filled: RunningWeb) -> None:
    (plain,) = found(filled, "/studies")
    (more,) = found(filled, "/studies?includefield=SOPClassesInStudy,00081040&includefield=SpecificCharacterSet")
    assert "00080062" not in plain
    assert more["00080062"]["Value"]
    assert "00081040" in more
    (everything,) = found(filled, "/studies?includefield=all")
    assert "00201202" in everything
    assert "00080060" not in everything


def test_pages_do_not_overlap_and_the_last_is_not_announced(filled: RunningWeb, generated_set: GeneratedSet) -> None:
    total = len(generated_set.files)
    first = filled.get(f"/instances?limit={total - 1}", JSON)
    rest = filled.get(f"/instances?limit={total - 1}&offset={total - 1}", JSON)
    assert "additional results" in first.headers["warning"]
    assert "warning" not in rest.headers
    uids = values(first.json() + rest.json(), "00080018")
    assert len(set(uids)) == len(uids) == total


def test_pages_of_a_search_that_reads_headers_do_not_overlap(filled: RunningWeb) -> None:
    everything = values(found(filled, "/instances?BitsAllocated=16"), "00080018")
    pages = [
        found(filled, f"/instances?BitsAllocated=16&limit=5&offset={first}")
        for first in range(0, len(everything) + 5, 5)
    ]
    assert len(everything) > 5
    assert [uid for page in pages for uid in values(page, "00080018")] == everything


def test_fuzzy_matching_is_refused_in_the_words_of_the_standard(filled: RunningWeb) -> None:
    response = filled.get("/studies?fuzzymatching=true&PatientName=Tset", JSON)
    assert response.status_code == 200
    assert response.json() == []
    assert "Only literal matching has been performed." in response.headers["warning"]


def test_an_unknown_parameter_is_ignored_with_a_warning_that_cannot_split_headers(filled: RunningWeb) -> None:
    response = filled.get("/studies?Nonsense%0D%0AX-Bad:%201=1", JSON)
    assert len(response.json()) == 1
    assert "was ignored" in response.headers["warning"]
    assert "x-bad" not in response.headers


def test_an_attribute_below_the_level_is_ignored_with_a_warning(filled: RunningWeb) -> None:
    response = filled.get("/studies?SOPInstanceUID=1.2.3", JSON)
    assert len(response.json()) == 1
    assert "not one of this level" in response.headers["warning"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "offset=-1",
        "StudyDate=yesterday",
        "PatientID=a&PatientID=b",
        "PatientID.PatientName=x",
        ".".join(["RequestAttributesSequence"] * 9) + "=x",
        "RequestAttributesSequence=x",
        "PatientName=%00",
    ],
)
def test_an_invalid_value_is_a_bad_request_with_a_problem(filled: RunningWeb, query: str) -> None:
    response = filled.get(f"/studies?{query}", JSON)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 400


@pytest.mark.parametrize(
    "accept", ['multipart/related; type="application/dicom+xml"', "text/html", "application/dicom"]
)
def test_what_is_not_json_is_not_acceptable(filled: RunningWeb, accept: str) -> None:
    assert filled.get("/studies", accept).status_code == 406


@pytest.mark.parametrize("accept", [JSON, "application/json", "*/*", "", "text/html, application/*;q=0.1"])
def test_json_is_answered_to_whoever_takes_it(filled: RunningWeb, accept: str) -> None:
    assert filled.get("/studies", accept).headers["content-type"] == JSON


def test_nothing_found_is_an_empty_array(web: RunningWeb) -> None:
    assert found(web, "/studies") == []


def test_a_study_uid_that_is_none_is_a_bad_request(filled: RunningWeb) -> None:
    assert filled.get("/studies/..%5C..%5Cetc/series", JSON).status_code == 400


def test_a_host_that_is_none_never_reaches_an_answer(filled: RunningWeb) -> None:
    response = filled.get("/studies", JSON, Host='x"/><script>')
    assert response.status_code == 400
