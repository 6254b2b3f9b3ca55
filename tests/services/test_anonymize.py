"""Files anonymized into a folder: whole or not at all, by mapped names, whatever a file or a process does."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest

from radfuse.core.errors import ConfigurationError, OutOfSpace
from radfuse.deid import Anonymizer, Option
from radfuse.services.anonymize import Recipe, Source, Verdict, profile_of, writing
from radfuse.services.anonymize.pool import WorkerPool
from radfuse.services.anonymize.results import Outcome
from radfuse.services.anonymize.sources import FileSource
from tests.services.anonymize_scenes import data_sets, recipe, run, written
from tests.support.generate import PATIENT_ID, GeneratedSet
from tests.support.servers import environment

MAPPED = re.compile(r"ANON-[A-Z2-7]{16}/2\.25\.\d+/2\.25\.\d+/2\.25\.\d+\.dcm")


def images(generated_set: GeneratedSet) -> list[Path]:
    """Those of which nobody needs to fear anything in the pixels."""
    return [*generated_set.ct, *generated_set.pet, *generated_set.mr]


# --- what is written -----------------------------------------------------------------------------


def test_every_object_is_written_under_names_that_the_anonymizer_made(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    outcomes = run(images(generated_set), tmp_path)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.ANONYMIZED}
    assert {tmp_path / outcome.path for outcome in outcomes} == set(written(tmp_path))
    assert all(MAPPED.fullmatch(outcome.path) for outcome in outcomes)
    assert len({Path(outcome.path).parent for outcome in outcomes}) == 3
    for path, dataset in zip(written(tmp_path), map(pydicom.dcmread, written(tmp_path)), strict=True):
        assert path.stem == dataset.SOPInstanceUID
        assert dataset.PatientIdentityRemoved == "YES"
        assert PATIENT_ID.encode() not in path.read_bytes()


def test_originals_stay_as_they_were(generated_set: GeneratedSet, tmp_path: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in generated_set.files}
    run(generated_set.files, tmp_path)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in generated_set.files} == before


def test_a_second_run_with_the_same_key_finds_everything_there(generated_set: GeneratedSet, tmp_path: Path) -> None:
    run(images(generated_set), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in written(tmp_path)}
    again = run(images(generated_set), tmp_path, durable=True)
    assert {outcome.verdict for outcome in again} == {Verdict.ALREADY_THERE}
    assert {path: path.stat().st_mtime_ns for path in written(tmp_path)} == before


def test_what_is_there_is_never_overwritten(generated_set: GeneratedSet, tmp_path: Path) -> None:
    (first,) = run(images(generated_set)[:1], tmp_path)
    (tmp_path / first.path).write_bytes(b"something else")
    (again,) = run(images(generated_set)[:1], tmp_path)
    assert again.verdict is Verdict.REFUSED
    assert "has been written already, and stays" in again.reason
    assert (tmp_path / first.path).read_bytes() == b"something else"


def test_of_two_objects_with_one_uid_in_one_run_the_first_stays(generated_set: GeneratedSet, tmp_path: Path) -> None:
    other = pydicom.dcmread(generated_set.ct[0])
    other.RescaleIntercept = -1000
    other.save_as(tmp_path / "other")
    outcomes = run([generated_set.ct[0], tmp_path / "other"], tmp_path / "out")
    assert [each.verdict.name for each in outcomes] == ["ANONYMIZED", "REFUSED"]
    assert "has been written already, and stays" in outcomes[1].reason
    (only,) = data_sets(tmp_path / "out").values()
    assert only.RescaleIntercept == pydicom.dcmread(generated_set.ct[0]).RescaleIntercept != -1000


def test_uids_of_the_input_that_are_no_names_do_not_lead_out_of_the_folder(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    dataset = pydicom.dcmread(generated_set.ct[0])
    with pydicom.config.disable_value_validation():
        dataset.add_new(0x0020000D, "UI", "../../../outside")
        dataset.add_new(0x0020000E, "UI", "")
    evil = tmp_path / "evil.dcm"
    dataset.save_as(evil)
    (outcome,) = run([evil], tmp_path / "out" / "deep", recipe("uids"))
    assert outcome.verdict is Verdict.ANONYMIZED
    assert re.fullmatch(r"ANON-\w+/2\.25\.\d+/no-series/2\.25\.\d+\.dcm", outcome.path)
    assert len(written(tmp_path)) == 2


def test_where_files_cannot_be_without_a_name_a_part_is_renamed(
    generated_set: GeneratedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = os.open

    def only_names(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not here")
        return opens(path, flags, mode)

    monkeypatch.setattr(os, "open", only_names)
    outcomes = run(images(generated_set)[:2], tmp_path)
    assert {tmp_path / outcome.path for outcome in outcomes} == set(written(tmp_path))


@pytest.mark.parametrize("processes", [1, 2])
def test_no_file_has_its_name_before_its_bytes_are_on_disk(
    processes: int, generated_set: GeneratedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs, names = os.fdatasync, os.link
    synced: set[int] = set()
    named: list[bool] = []

    def sync(file: int) -> None:
        syncs(file)
        synced.add(os.fstat(file).st_ino)

    def name(source: str, *words: Any, **more: Any) -> None:
        named.append(os.stat(source).st_ino in synced)
        names(source, *words, **more)

    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "link", name)
    outcomes = run(images(generated_set), tmp_path, processes=processes, durable=True)
    folders = {folder for path in written(tmp_path) for folder in path.parents if folder.is_relative_to(tmp_path)}
    assert {folder.stat().st_ino for folder in folders} <= synced
    assert named == [True] * len(images(generated_set))
    assert {tmp_path / each.path for each in outcomes} == set(written(tmp_path))
    assert not any(each.draft for each in outcomes)


def test_what_the_disk_does_not_take_gets_no_name_and_ends_the_run(
    generated_set: GeneratedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        run(images(generated_set), tmp_path, durable=True)
    assert written(tmp_path) == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_same_object_twice_in_one_run_is_one_file(generated_set: GeneratedSet, tmp_path: Path) -> None:
    outcomes = run([generated_set.ct[0], generated_set.ct[0]], tmp_path)
    assert sorted(each.verdict.name for each in outcomes) == ["ALREADY_THERE", "ANONYMIZED"]
    assert len(written(tmp_path)) == 1


def test_a_full_volume_ends_the_run(
    generated_set: GeneratedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_details: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "_write", no_room)
    with pytest.raises(OutOfSpace):
        run(images(generated_set), tmp_path)


# --- what is refused -----------------------------------------------------------------------------


def test_what_cannot_be_made_safe_is_refused_by_name_and_the_rest_goes_on(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no object")
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(generated_set.ct[0].read_bytes()[:-100])
    outcomes = {each.name: each for each in run([text, broken, *generated_set.files], tmp_path / "out")}
    assert outcomes[str(text)].verdict is Verdict.NOT_DICOM
    assert "longer than what holds it" in outcomes[str(broken)].reason
    assert "structured report" in outcomes[str(generated_set.structured_report)].reason
    assert "pixels may show" in outcomes[str(generated_set.secondary_capture)].reason
    refused = [outcome for outcome in outcomes.values() if outcome.verdict is Verdict.REFUSED]
    assert not any(outcome.path for outcome in refused)
    assert len(written(tmp_path / "out")) == len(outcomes) - len(refused) - 1


def test_an_object_at_which_the_engine_fails_is_refused_without_the_errors_own_words(
    generated_set: GeneratedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: object, _content: object) -> None:
        raise KeyError("a value of the patient")

    monkeypatch.setattr(Anonymizer, "anonymize", fails)
    (outcome,) = run(images(generated_set)[:1], tmp_path)
    assert outcome.verdict is Verdict.REFUSED
    assert "KeyError in test_anonymize.py" in outcome.reason
    assert "patient" not in outcome.reason
    assert written(tmp_path) == []


def test_a_folder_that_cannot_be_written_ends_the_run(generated_set: GeneratedSet, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(OSError, match="Not a directory"):
        run(images(generated_set), tmp_path / "out", processes=2)


# --- zip files -----------------------------------------------------------------------------------


def test_members_of_zip_files_are_anonymized(generated_set: GeneratedSet, tmp_path: Path) -> None:
    packed = tmp_path / "Doe_Jane.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number, path in enumerate(generated_set.ct):
            archive.write(path, f"../../Doe {number}/")
            archive.write(path, f"folder/{number}")
    outcomes = run([packed], tmp_path / "out")
    assert Counter(outcome.verdict for outcome in outcomes)[Verdict.ANONYMIZED] == len(generated_set.ct)
    assert len(written(tmp_path)) == 1 + len(generated_set.ct)


def test_a_zip_file_that_cannot_be_read_is_refused(tmp_path: Path, generated_set: GeneratedSet) -> None:
    packed = tmp_path / "bad.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(generated_set.ct[0], "one")
    content = bytearray(packed.read_bytes())
    content[content.index(b"PK\x01\x02") + 3] = 0xFF
    packed.write_bytes(content)
    (outcome,) = run([packed], tmp_path / "out")
    assert outcome.verdict in (Verdict.REFUSED, Verdict.NOT_DICOM)


@pytest.mark.parametrize("harm", ["damaged", "encrypted"])
def test_the_reason_why_a_member_cannot_be_read_names_no_member(
    harm: str, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    packed = tmp_path / "scans.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(generated_set.ct[0], "Doe^Jane.dcm")
    content = bytearray(packed.read_bytes())
    if harm == "damaged":
        content[len(content) // 2] ^= 1
    else:
        content[6] |= 1
        content[content.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(content)
    (outcome,) = run([packed], tmp_path / "out")
    assert outcome.verdict is Verdict.REFUSED
    assert harm in outcome.reason
    assert "Doe" not in outcome.reason


# --- several processes ---------------------------------------------------------------------------


def test_several_processes_write_what_one_writes(generated_set: GeneratedSet, tmp_path: Path) -> None:
    one, two = run(generated_set.files, tmp_path / "1"), run(generated_set.files, tmp_path / "2", processes=2)
    assert {each.name: each.verdict for each in one} == {each.name: each.verdict for each in two}
    first, second = written(tmp_path / "1"), written(tmp_path / "2")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [path.relative_to(tmp_path / "1") for path in first] == [path.relative_to(tmp_path / "2") for path in second]


@dataclass(frozen=True)
class Fatal:
    """A step that does not survive some names."""

    deadly: str

    def begin(self) -> Deadly:
        return Deadly(self.deadly)


class Deadly:
    def __init__(self, deadly: str) -> None:
        self._deadly = deadly

    def __call__(self, source: Source) -> Outcome:
        if source.name.endswith("/full"):
            raise OutOfSpace("an anonymized object")
        if source.name.endswith(self._deadly):
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(source.name, Verdict.ANONYMIZED)

    def close(self) -> None:
        pass


def test_a_process_that_crashes_costs_the_object_that_it_worked_on() -> None:
    names = [f"/{number}" for number in range(40)]
    outcomes = list(WorkerPool(Fatal("7"), 2).run(FileSource(Path(name)) for name in names))
    refused = {each.name: each.reason for each in outcomes if each.verdict is Verdict.REFUSED}
    assert sorted(refused) == ["/17", "/27", "/37", "/7"]
    assert all("was ended by SIGKILL" in reason for reason in refused.values())
    assert sorted(each.name for each in outcomes) == sorted(names)


def test_what_no_later_object_would_escape_ends_the_run() -> None:
    with pytest.raises(OutOfSpace):
        list(WorkerPool(Fatal("!"), 2).run([FileSource(Path("/full"))] * 100))


def test_ctrl_c_leaves_only_whole_files(generated_set: GeneratedSet, tmp_path: Path) -> None:
    copies = 400
    for path in generated_set.ct:
        uid, content = str(pydicom.dcmread(path).SOPInstanceUID).encode("ascii"), path.read_bytes()
        for copy in range(copies):
            target = tmp_path / "in" / str(copy) / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another UID of the same length, wherever it stands.
            target.write_bytes(content.replace(uid, uid[:2] + f"{copy + 100}".encode("ascii") + uid[5:]))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "radfuse", "anonymize", str(tmp_path / "in"), "--to", str(out), "--processes", "2"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL, start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while not (out.exists() and written(out)) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    assert process.returncode != 0
    assert 0 < len(written(out)) < copies * len(generated_set.ct)
    assert all(path.suffix == ".dcm" for path in written(out))
    assert len(data_sets(out)) == len(written(out))


# --- options -------------------------------------------------------------------------------------


def test_a_preset_brings_options_and_what_is_named_counts_for_more() -> None:
    assert profile_of([], "pet").options == {Option.SHIFTED_DATES, Option.PATIENT, Option.DEVICE}
    assert profile_of(["dates"], "pet").options == {Option.FULL_DATES, Option.PATIENT, Option.DEVICE}
    with pytest.raises(ConfigurationError, match="not both"):
        profile_of(["dates", "shifted-dates"])
    with pytest.raises(ConfigurationError, match="none of pet"):
        profile_of([], "mr")
    with pytest.raises(ConfigurationError, match="'name' is none of"):
        profile_of(["name"])


def test_a_recipe_says_nothing_of_its_key() -> None:
    made: Recipe = recipe()
    assert "a key of the tests" not in repr(made)
