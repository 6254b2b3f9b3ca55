"""anonymize and deid: files and studies, keys, preview, the way back, and judging."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest

from tests.cli.conftest import Run
from tests.services.anonymize_scenes import data_sets, written
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.support.servers import RunningNode


def test_files_are_anonymized_into_a_folder_and_judged_to_be_so(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    out, key = tmp_path / "out", tmp_path / "project.key"
    answer = run("anonymize", generated_set.root / "ct", generated_set.root / "pet", "--to", out, "--key-file", key)
    assert answer.code == 0
    count = len(generated_set.ct) + len(generated_set.pet)
    assert f"{count} anonymized" in answer.out
    assert key.stat().st_mode & 0o777 == 0o600
    again = run("anonymize", generated_set.root / "ct", "--to", out, "--key-file", key, "--json", "--processes", "1")
    assert again.json["AlreadyThere"] == len(generated_set.ct)
    judged = run("deid", "verify", out, "--originals", generated_set.root, "--json")
    assert (judged.code, judged.json["Judged"], judged.json["Wrong"]) == (0, count, 0)
    judged = run("deid", "verify", generated_set.root / "ct")
    assert judged.code == 1
    assert "wrong" in judged.out


def test_a_folder_becomes_a_medium_without_faces_and_where_none_is_found_that_is_said(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    dataset = pydicom.dcmread(generated_set.ct[0])
    dataset.BodyPartExamined = "HEAD"
    (tmp_path / "in").mkdir()
    dataset.save_as(tmp_path / "in" / "head.dcm")
    (tmp_path / "in" / "mr.dcm").write_bytes(generated_set.mr[0].read_bytes())
    words = ("--to", out, "--key-file", tmp_path / "key", "--clean", "faces", "--dicomdir", "--processes", "1")
    answer = run("anonymize", tmp_path / "in", *words)
    assert answer.code == 1
    assert "Body Part Examined is HEAD; its face cannot be found" in " ".join(answer.err.split())
    assert "1 anonymized, 1 refused" in answer.out
    (record,) = [
        each for each in pydicom.dcmread(out / "DICOMDIR").DirectoryRecordSequence if "ReferencedFileID" in each
    ]
    assert out.joinpath(*record.ReferencedFileID).is_file()


def test_known_values_are_looked_for(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    run("anonymize", generated_set.ct[0], "--to", tmp_path / "out")
    known = tmp_path / "known.txt"
    known.write_text(f"{PATIENT_ID}\nSomebody^Else\n")
    assert run("deid", "verify", tmp_path / "out", "--known", known).code == 0
    (only,) = written(tmp_path / "out")
    dataset = pydicom.dcmread(only)
    dataset.SoftwareVersions = PATIENT_ID
    dataset.save_as(only)
    answer = run("deid", "verify", tmp_path / "out", "--known", known, "--json")
    assert answer.code == 1
    assert PATIENT_ID not in answer.out


def test_without_a_key_the_run_says_what_that_means(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    names = []
    for folder in ("a", "b"):
        answer = run("anonymize", generated_set.ct[0], "--to", tmp_path / folder)
        assert "no key was named" in answer.err
        names += [path.name for path in written(tmp_path / folder)]
    assert len(set(names)) == 2


def test_refused_objects_are_listed_and_the_exit_code_says_so(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    answer = run("anonymize", generated_set.root, "--to", tmp_path / "out", "--report", tmp_path / "report.json")
    assert answer.code == 1
    assert "refused: " + str(generated_set.structured_report) in answer.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["Objects"]["Given"] == len(written(tmp_path / "out"))
    assert {each["Keyword"] for each in report["Attributes"]} >= {"PatientName", "PatientID", "StudyInstanceUID"}
    assert str(generated_set.root) not in json.dumps(report)
    options = ("--clean", "structured-content", "--clean", "graphics", "--pixels-are-clean", "--replace-documents")
    for name in ("report.html", "report.md"):
        answer = run(
            "anonymize", generated_set.root, "--to", tmp_path / name[7:], *options, "--report", tmp_path / name
        )
        assert (answer.code, answer.err.count("refused")) == (0, 0)
        assert "Basic Application Level Confidentiality Profile" in (tmp_path / name).read_text()


def test_the_preset_for_pet_keeps_what_suv_needs(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    run("anonymize", generated_set.root / "pet", "--to", tmp_path / "out", "--preset", "pet")
    before = pydicom.dcmread(generated_set.pet[0])
    for after in data_sets(tmp_path / "out").values():
        assert after.PatientWeight == before.PatientWeight
        assert after.SeriesTime == before.SeriesTime
        assert after.SeriesDate != before.SeriesDate
        assert after.LongitudinalTemporalInformationModified == "MODIFIED"


def test_the_vault_leads_back(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    run("anonymize", generated_set.root / "ct", "--to", tmp_path / "out", "--vault", vault)
    assert vault.stat().st_mode & 0o777 == 0o600
    uid, dataset = data_sets(tmp_path / "out").popitem()
    originals = run("deid", "original", str(dataset.PatientID), "--vault", vault, "--json").json
    assert {"Attribute": "PatientID", "Pseudonym": str(dataset.PatientID), "Original": PATIENT_ID} in originals
    assert run("deid", "original", uid, "--vault", vault).code == 0
    assert run("deid", "original", "ANON-NOBODY", "--vault", vault).code == 1
    assert run("deid", "original", uid, "--vault", tmp_path / "none").code == 2


def test_a_preview_shows_before_and_after(run: Run, generated_set: GeneratedSet) -> None:
    rows = {row["Element"]: row for row in run("deid", "preview", generated_set.ct[0], "--json").json}
    assert (rows["PatientID"]["Became"], rows["PatientID"]["Before"]) == ("replaced", PATIENT_ID)
    assert rows["PatientID"]["After"].startswith("ANON-")
    assert rows["PatientIdentityRemoved"]["Became"] == "added"
    assert "Rows" not in rows
    assert "Rows" in run("deid", "preview", generated_set.ct[0], "--all").out


def test_keys_are_made_and_listed(run: Run, tmp_path: Path) -> None:
    assert "no keys" in run("deid", "key", "list").out
    assert run("deid", "key", "new", "trial-7").code == 0
    assert run("deid", "key", "new", "trial-7").code == 2
    assert run("deid", "key", "list", "--json").json == [{"Name": "trial-7"}]
    assert run("deid", "key", "new", tmp_path / "file.key", "--json").json == {"File": str(tmp_path / "file.key")}


def test_kept_studies_go_into_a_folder_or_another_database(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "radfuse.toml").write_text('[databases]\nRESEARCH = "research"\n')
    run("import", generated_set.root / "ct")
    assert run("anonymize", "--study", STUDY_UID, "--to", tmp_path / "out", "--key", "default").code == 0
    answer = run("anonymize", "--study", STUDY_UID, "--into", "research", "--json")
    assert (answer.code, answer.json["Sent"]) == (0, len(generated_set.ct))
    (study,) = run("ls", "--database", "research", "--json").json
    assert study["PatientID"].startswith("ANON-")
    assert {path.parent.parent.name for path in written(tmp_path / "out")} == {study["StudyInstanceUID"]}
    answer = run("anonymize", generated_set.root / "ct", "--into", "research", "--key", "default")
    assert f"{len(generated_set.ct)} there already" in answer.out


def test_files_and_studies_go_to_a_peer(
    run: Run, generated_set: GeneratedSet, node: RunningNode, tmp_path: Path
) -> None:
    run("import", generated_set.root / "ct")
    run("peers", "add", "RESEARCH", node.peer)
    answer = run("anonymize", generated_set.root / "ct", "--to-peer", "RESEARCH", "--key", "default")
    assert (answer.code, answer.out) == (0, f"{len(generated_set.ct)} anonymized\n")
    assert run("anonymize", "--study", STUDY_UID, "--to-peer", "RESEARCH").code == 0
    studies = run("find", "--at", "RESEARCH", "PatientID=ANON*", "--json").json
    assert [study["NumberOfStudyRelatedInstances"] for study in studies] == [len(generated_set.ct)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "out"), "give either PATH"),
        (("x", "--study", "1.2", "--to", "out"), "give either PATH"),
        (("x",), "say where they go"),
        (("x", "--to", "out", "--into", "research"), "say where they go"),
        (("x", "--to", "out", "--key", "a", "--key-file", "b"), "not both"),
        (("x", "--to", "out", "--retain", "dates", "--retain", "shifted-dates"), "not both"),
        (("x", "--to", "out", "--key", "nobody"), "there is no key"),
        (("x", "--to", "out", "--report", "r.pdf"), "must end with"),
        (("--study", "1.2", "--into", "research", "--vault", "v"), "goes as a job"),
        (("x", "--to", "x/out"), "lies within"),
        (("x", "--into", "research", "--dicomdir"), "only a folder gets a DICOMDIR"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_wrong_use(
    words: tuple[str, ...], said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    answer = run("anonymize", *words)
    assert answer.code == 2
    assert said in " ".join(answer.err.replace("│", "").split())
