"""Media over the API: told before they are written, downloaded as other readers take them, and brought in again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.fileset import FileSet

from radfuse.dicom import Transcoder
from radfuse.jobs import Job, JobState, run_next
from radfuse.services.import_job import IMPORT_MEDIA, ImportSurroundings, run_media_import
from radfuse.services.media_job import EXPORT_MEDIA, MediaSurroundings, run_media_export
from radfuse.services.roles import Role
from radfuse.services.users import NewUser
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.web.api.conftest import RunningApi, api_in
from tests.web.conftest import keep

CD = {"profile": "STD-GEN-CD", "studies": [STUDY_UID]}
SERIES = {"study": STUDY_UID, "series": "2.25.7100.1"}
INSTANCES = 19
SMALL_BYTES = 460_000
"""Some of the series fit, never all of them."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of the server: one that is allowed, with a stick in it, and one that is not."""
    root = tmp_path_factory.mktemp("server")
    stick = root / "allowed" / "stick" / "CD"
    stick.mkdir(parents=True)
    (stick / "DICOMDIR").write_bytes(b"")
    (root / "allowed" / "old.ZIP").write_bytes(b"PK")
    (root / "allowed" / "disc.iso").write_bytes(b"CD001")
    (root / "allowed" / "notes.txt").write_bytes(b"")
    (root / "allowed" / ".hidden").mkdir()
    (root / "secret").mkdir()
    (root / "allowed" / "out").symlink_to(root / "secret")
    return root


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet, folders: Path) -> Iterator[RunningApi]:
    """The application over the generated study, and with folders of the server."""
    allowed: dict[str, Any] = {"export_folders": [folders / "allowed"], "import_folders": [folders / "allowed"]}
    with api_in(tmp_path_factory.mktemp("api") / "data", **allowed) as running:
        for path in generated_set.files:
            keep(running.archive, path)
        yield running


def run(api: RunningApi, number: int) -> Job:
    """One attempt, as a worker makes it."""
    with Transcoder() as transcoder:
        desk = api.desk
        exporting = MediaSurroundings(desk.archive, transcoder, desk.data, desk.export_folders)
        importing = ImportSurroundings(desk.archive, desk.data, desk.import_folders)
        kinds = {
            EXPORT_MEDIA: partial(run_media_export, surroundings=exporting),
            IMPORT_MEDIA: partial(run_media_import, surroundings=importing),
        }
        return run_next(desk.jobs, kinds, number)


def exported(api: RunningApi, **changes: Any) -> Job:
    """An export that is done."""
    job = api.send("POST", "/media/exports", CD | changes, 202)
    assert (job["kind"], job["state"]) == (EXPORT_MEDIA, "queued")
    done = run(api, job["id"])
    assert done.state is JobState.DONE, done.message
    return done


# --- profiles and plans ----------------------------------------------------------------------


def test_every_profile_has_words_for_people(api: RunningApi) -> None:
    profiles = {each["name"]: each for each in api.get("/media/profiles")}
    assert len(profiles) == 20
    titles = [each["title"] for each in profiles.values()]
    assert len(set(titles)) == len(titles)
    cd, stick = profiles["STD-GEN-CD"], profiles["STD-GEN-USB-J2K"]
    assert (cd["title"], cd["image"], cd["is_lossy_possible"]) == ("CD, uncompressed", "ISO 9660 level 1", False)
    assert cd["capacity_bytes"] in [size["size_bytes"] for size in cd["sizes"]]
    assert (stick["title"], stick["image"], stick["sizes"]) == ("USB stick, with JPEG 2000", "", [])
    assert stick["capacity_bytes"] is None
    assert stick["syntaxes"][0]["name"] == "Explicit VR Little Endian"


def test_a_plan_says_what_would_be_written_and_writes_nothing(api: RunningApi) -> None:
    before = len(api.desk.jobs.list())
    plan = api.send("POST", "/media/plans", CD)
    assert (plan["objects"], plan["studies"], len(plan["volumes"])) == (INSTANCES, 1, 1)
    assert plan["volumes"][0]["objects"] == INSTANCES
    assert plan["size_bytes"] == plan["volumes"][0]["size_bytes"] > 0
    assert plan["refusals"] == []
    assert all(each["to_syntax"] == "Explicit VR Little Endian" for each in plan["conversions"])
    assert len(api.desk.jobs.list()) == before


def test_a_plan_of_a_narrow_profile_says_what_it_refuses_and_why(api: RunningApi) -> None:
    plan = api.send("POST", "/media/plans", CD | {"profile": "STD-CTMR-CD"})
    refused = {each["sop_class"]: each for each in plan["refusals"]}
    assert refused["Positron Emission Tomography Image Storage"]["sentence"]
    assert plan["objects"] + plan["refused"] == INSTANCES


def test_a_small_medium_is_planned_as_several_or_refused_with_a_sentence(api: RunningApi) -> None:
    whole = api.send("POST", "/media/plans", CD)["size_bytes"]
    several = api.send("POST", "/media/plans", CD | {"medium_bytes": SMALL_BYTES})
    assert len(several["volumes"]) > 1
    assert sum(volume["objects"] for volume in several["volumes"]) == INSTANCES
    assert sum(volume["size_bytes"] for volume in several["volumes"]) == whole
    assert api.problem("POST", "/media/plans", CD | {"medium_bytes": 1000})["status"] == 422


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"profile": "STD-GEN-TAPE"}, 400, "STD-GEN-TAPE"),
        ({"studies": []}, 400, "nothing is selected"),
        ({"studies": ["2.25.404"]}, 404, "no such study"),
        ({"studies": ["1.2.*"]}, 400, "not a valid UID"),
        ({"database": "research"}, 404, "research"),
        ({"medium_bytes": 0}, 400, "medium_bytes"),
        ({"everything": True}, 400, "everything"),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/media/plans", "/media/exports"])
def test_what_makes_no_sense_is_refused(
    path: str, changes: dict[str, Any], status: int, words: str, api: RunningApi
) -> None:
    before = len(api.desk.jobs.list())
    problem = api.problem("POST", path, CD | changes)
    assert problem["status"] == status
    assert words in problem["detail"]
    assert len(api.desk.jobs.list()) == before


# --- exports ---------------------------------------------------------------------------------


def test_a_zip_file_holds_the_set_as_pydicom_reads_it(api: RunningApi, tmp_path: Path) -> None:
    job = exported(api)
    made = api.get(f"/media/exports/{job.id}")
    (file,) = made["files"]
    assert (made["form"], file["volume"], made["job"]["state"]) == ("zip", 1, "done")
    answer = api.http.get(f"{api.url}/api/media/exports/{job.id}/file")
    assert answer.headers["content-type"] == "application/zip"
    assert file["name"] in answer.headers["content-disposition"]
    assert len(answer.content) == file["size_bytes"]
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    found = FileSet(tmp_path / "DICOMDIR")
    found._stage["t"].cleanup()  # which it leaves to the garbage collector
    assert len(found) == INSTANCES
    assert {instance.load().StudyInstanceUID for instance in found} == {STUDY_UID}


def test_several_media_are_several_files(api: RunningApi) -> None:
    job = exported(api, medium_bytes=SMALL_BYTES)
    files = api.get(f"/media/exports/{job.id}")["files"]
    assert [file["volume"] for file in files] == list(range(1, len(files) + 1))
    assert len(files) > 1
    held = 0
    for file in files:
        answer = api.http.get(f"{api.url}/api/media/exports/{job.id}/file", params={"volume": file["volume"]})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as volume:
            held += sum(name.split("/")[-1].startswith("IM") for name in volume.namelist())
    assert held == INSTANCES
    assert api.problem("GET", f"/media/exports/{job.id}/file", volume=len(files) + 1)["status"] == 404


def test_an_image_of_one_series_is_a_disc(api: RunningApi) -> None:
    job = exported(api, studies=[], series=[SERIES], form="iso")
    answer = api.http.get(f"{api.url}/api/media/exports/{job.id}/file")
    assert answer.headers["content-type"] == "application/x-iso9660-image"
    assert answer.content[0x8001:0x8006] == b"CD001"


def test_what_a_profile_refuses_is_left_out_only_when_that_is_asked_for(api: RunningApi) -> None:
    narrow = {"profile": "STD-CTMR-CD"}
    problem = api.problem("POST", "/media/exports", CD | narrow)
    assert problem["status"] == 422
    assert "leave them out, or choose another profile" in problem["detail"]
    job = exported(api, **narrow, skip_refused=True)
    assert "left out" in job.message


def test_the_access_log_knows_who_took_which_study_where(api: RunningApi) -> None:
    job = exported(api, studies=[], series=[SERIES])
    api.http.get(f"{api.url}/api/media/exports/{job.id}/file")
    entries = api.get("/audit", study=STUDY_UID)["entries"]
    assert ("export", "STD-GEN-CD, zip") in {(each["action"], each["subject"]) for each in entries}
    assert "download" in {each["action"] for each in entries}


@pytest.mark.parametrize("path", ["/media/exports/{job}", "/media/exports/{job}/file"])
def test_what_is_no_export_has_no_file(path: str, api: RunningApi) -> None:
    assert api.problem("GET", path.format(job=9999))["status"] == 404
    waiting = api.send("POST", "/media/exports", CD, 202)["id"]
    assert api.get(f"/media/exports/{waiting}")["files"] == []
    assert api.problem("GET", f"/media/exports/{waiting}/file")["status"] == 404
    deletion = api.send("POST", "/deletions", {"studies": [STUDY_UID]}, 202)["job"]["id"]
    api.send("POST", f"/jobs/{deletion}/cancel")
    assert "no export to media" in api.problem("GET", path.format(job=deletion))["detail"]


def test_an_image_is_uploaded_as_a_zip_file_is(api: RunningApi) -> None:
    for form in ("iso", "zip"):
        job = exported(api, studies=[], series=[SERIES], form=form)
        file = api.http.get(f"{api.url}/api/media/exports/{job.id}/file").content
        answer = api.http.post(f"{api.url}/api/uploads", files={"file": (f"disc.{form}", file)})
        result = answer.json()
        held = [each["name"] for each in result["files"] if each["state"] == "duplicate"]
        assert len(held) == result["duplicates"] > 0
        assert all(name.startswith(f"disc.{form}/DICOM/") for name in held), held
        assert (result["kept"], result["refused"], result["findings"]) == (0, 0, [])


def test_what_is_wrong_with_an_uploaded_medium_is_told(api: RunningApi) -> None:
    job = exported(api, studies=[], series=[SERIES])
    whole = api.http.get(f"{api.url}/api/media/exports/{job.id}/file").content
    spoilt = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(spoilt, "w") as target:
        for name in source.namelist():
            if not name.endswith("IM000001"):
                target.writestr(name, source.read(name))
    answer = api.http.post(f"{api.url}/api/uploads", files={"file": ("disc.zip", spoilt.getvalue())}).json()
    assert answer["findings"] == [{"kind": "files named by a record that are not there", "count": 1}]
    assert answer["refused"] == 0


# --- folders of the server -------------------------------------------------------------------


def names(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(place["name"], place["kind"]) for place in found["places"]]


def test_allowed_folders_are_looked_through_and_no_others(api: RunningApi, folders: Path) -> None:
    allowed = str(folders / "allowed")
    assert names(api.get("/media/folders")) == [(allowed, "folder")]
    inside = api.get("/media/folders", folder=allowed)
    assert names(inside) == [("stick", "folder"), ("disc.iso", "image"), ("old.ZIP", "zip")]
    (cd,) = api.get("/media/folders", folder=allowed, path="stick")["places"]
    assert (cd["path"], cd["holds_dicomdir"], cd["is_readable"]) == ("stick/CD", True, True)
    assert names(api.get("/media/folders", use="export", folder=allowed)) == [("stick", "folder")]


@pytest.mark.parametrize(
    ("folder", "path", "words"),
    [
        ("secret", "", "does not allow"),
        ("allowed", "..", "downwards"),
        ("allowed", "stick/../../secret", "downwards"),
        ("allowed", "/etc", "downwards"),
        ("allowed", "out", "leads out"),
        ("allowed", "lost", "nothing at this place"),
        ("allowed", "x\0y", "downwards"),
        ("allowed", "x" * 4000, "nothing at this place"),
        ("allowed", "notes.txt", "no folder"),
    ],
)
def test_what_is_outside_stays_outside(folder: str, path: str, words: str, api: RunningApi, folders: Path) -> None:
    problem = api.problem("GET", "/media/folders", folder=str(folders / folder), path=path)
    assert problem["status"] == 400
    assert words in problem["detail"]


def test_a_folder_of_the_server_is_written_where_it_is_allowed(api: RunningApi, folders: Path) -> None:
    where = {"form": "folder", "folder": str(folders / "allowed")}
    target = folders / "allowed" / "target"
    target.mkdir()
    job = exported(api, **where, path="target")
    (directory,) = target.rglob("DICOMDIR")
    assert pydicom.dcmread(directory).file_meta.MediaStorageSOPClassUID == "1.2.840.10008.1.3.10"
    assert api.get(f"/media/exports/{job.id}")["files"] == []
    for changes in ({**where, "path": "out"}, {**where, "folder": str(folders / "secret")}, {"folder": str(folders)}):
        assert api.problem("POST", "/media/exports", CD | changes)["status"] == 400


# --- imports ---------------------------------------------------------------------------------


def test_a_medium_is_imported_and_the_report_says_what_was_wrong_with_it(
    api: RunningApi, folders: Path, generated_set: GeneratedSet
) -> None:
    medium = folders / "allowed" / "disc"
    medium.mkdir()
    exported(api, form="folder", folder=str(folders / "allowed"), path="disc", studies=[], series=[SERIES])
    lost, *_ = sorted(medium.glob("DICOM/*/*/*/*"))
    lost.unlink()
    (medium / "EXTRA").write_bytes(generated_set.ct[0].read_bytes())
    (medium / "BROKEN").write_bytes(generated_set.ct[0].read_bytes()[:200])
    from_there = {"folder": str(folders / "allowed"), "path": medium.name}
    job = api.send("POST", "/media/imports", from_there, 202)
    assert (job["kind"], job["state"]) == (IMPORT_MEDIA, "queued")
    assert api.get(f"/media/imports/{job['id']}")["report"] is None
    assert run(api, job["id"]).state is JobState.DONE
    report = api.get(f"/media/imports/{job['id']}")["report"]
    assert (report["taken"], report["refused"]) == (0, 1)
    assert report["already_there"] > 0
    assert [each["name"] for each in report["refused_files"]] == ["BROKEN"]
    findings = {each["kind"]: each["count"] for each in report["findings"]}
    assert findings["files named by a record that are not there"] == 1
    assert len(report["finding_sentences"]) == sum(findings.values())
    assert not any(str(folders) in sentence for sentence in report["finding_sentences"])
    assert "import" in {each["action"] for each in api.get("/audit")["entries"]}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"folder": "/etc"}, 400, "does not allow"),
        ({"path": "../secret"}, 400, "downwards"),
        ({"path": "lost"}, 400, "nothing at this place"),
        ({"database": "research"}, 404, "research"),
    ],
    ids=str,
)
def test_nothing_else_of_the_server_is_imported(
    changes: dict[str, Any], status: int, words: str, api: RunningApi, folders: Path
) -> None:
    problem = api.problem("POST", "/media/imports", {"folder": str(folders / "allowed")} | changes)
    assert problem["status"] == status
    assert words in problem["detail"]


# --- who may ---------------------------------------------------------------------------------


def test_readers_export_nothing_and_folders_of_the_server_are_the_administrators(
    tmp_path: Path, generated_set: GeneratedSet, folders: Path
) -> None:
    with api_in(tmp_path / "data", export_folders=[folders / "allowed"]) as api:
        keep(api.archive, generated_set.ct[0])
        tokens = {}
        for role in (Role.ADMINISTRATOR, Role.OPERATOR, Role.READER):
            api.desk.accounts.users.add(NewUser(role.value, role, "correct horse battery"))
            tokens[role] = api.desk.accounts.tokens.add(role.value, "test", role)[1]
        api.desk.accounts.credentials.forget()

        def status(role: Role, method: str, path: str, body: Any = None) -> int:
            headers = {"Authorization": f"Bearer {tokens[role]}"}
            return api.http.request(method, f"{api.url}/api{path}", json=body, headers=headers).status_code

        into_folder = CD | {"form": "folder", "folder": str(folders / "allowed")}
        assert status(Role.READER, "GET", "/media/profiles") == 200
        assert status(Role.READER, "POST", "/media/plans", CD) == 403
        assert status(Role.READER, "POST", "/media/exports", CD) == 403
        assert status(Role.OPERATOR, "POST", "/media/plans", CD) == 200
        assert status(Role.OPERATOR, "POST", "/media/exports", CD) == 202
        assert status(Role.OPERATOR, "POST", "/media/exports", into_folder) == 403
        assert status(Role.OPERATOR, "GET", "/media/folders") == 403
        assert status(Role.OPERATOR, "POST", "/media/imports", {"folder": str(folders)}) == 403
        assert status(Role.ADMINISTRATOR, "POST", "/media/exports", into_folder) == 202
