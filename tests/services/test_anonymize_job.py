"""Anonymizing as a job: one item an original, nothing twice, and nothing ever unchanged."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID

from radfuse.archive import Archive, ArchiveSettings, StoredObject
from radfuse.core.errors import BlobDamaged, ConfigurationError
from radfuse.dicom import Transcoder
from radfuse.jobs import Counts, ItemState, JobContext, Jobs, JobState, run_next
from radfuse.services.anonymize_job import (
    ANONYMIZE,
    AnonymizeSurroundings,
    Treatments,
    new_anonymization,
    run_anonymization,
)
from radfuse.services.anonymize_stored import stored_source
from radfuse.services.associating import Caller
from radfuse.services.context_lists import ContextLists
from radfuse.services.import_media import import_files
from radfuse.services.peers import Peer, Peers
from radfuse.services.project_keys import Keys
from radfuse.services.send import objects_of_studies
from radfuse.services.send_job import SendSurroundings
from radfuse.wire import Association, Message
from tests.archive.objects import stored_objects
from tests.services.anonymize_scenes import written
from tests.services.storage_scenes import QUICK, Answers, peer_at
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.wire.scenes import Node

HOW = Treatments(("shifted-dates",), "pet", "trial")


class Desk:
    """A data folder with a queue, peers, keys and two databases."""

    def __init__(self, folder: Path, originals: Archive, research: Archive, transcoder: Transcoder) -> None:
        self.folder = folder
        self.archives = {"default": originals, "research": research}
        self.jobs, self.peers, self.lists = Jobs(folder), Peers(folder), ContextLists(folder)
        Keys(folder).new("trial")
        sending = SendSurroundings(self.archives.__getitem__, self.peers, self.lists, self._caller, transcoder)
        self.around = AnonymizeSurroundings(sending, folder)

    def _caller(self, _peer: Peer, title: str) -> Caller:
        return Caller(title or "NODE", QUICK)

    @property
    def objects(self) -> list[StoredObject]:
        """What is to be anonymized."""
        return objects_of_studies(self.archives["default"], [STUDY_UID])

    def submit(self, to: Peer | str, how: Treatments = HOW, rule: str = "") -> int:
        """Queue a job for all of it."""
        return self.jobs.submit(new_anonymization(self.jobs, self.objects, how, to, rule=rule))

    def run(self, job: int) -> tuple[JobState, str]:
        """One attempt; the state and the message after it."""
        after = run_next(self.jobs, {ANONYMIZE: self._kind}, job)
        return after.state, after.message

    def _kind(self, context: JobContext) -> None:
        run_anonymization(context, self.around)

    def comments(self, job: int, state: ItemState) -> set[str]:
        """Why items are in a state."""
        return {item.comment for item in self.jobs.items(job, [state])}

    def close(self) -> None:
        """Close the databases."""
        for each in (self.jobs, self.peers, self.lists):
            each.close()


@pytest.fixture
def desk(tmp_path: Path, archive: Archive, generated_set: GeneratedSet) -> Iterator[Desk]:
    """A desk with CT, PET and MR of the generated study."""
    for name in ("data", "research"):
        (tmp_path / name).mkdir()
    list(import_files(archive, [*generated_set.ct, *generated_set.pet, *generated_set.mr]))
    with Transcoder() as transcoder, Archive(ArchiveSettings(tmp_path / "research")) as research:
        made = Desk(tmp_path / "data", archive, research, transcoder)
        with contextlib.closing(made):
            yield made


def test_a_study_is_kept_anonymized_in_another_database(desk: Desk) -> None:
    before = stored_objects(desk.archives["default"])
    job = desk.submit("research")
    assert desk.jobs.get(job).title == f"{len(before)} objects anonymized into research"
    assert desk.run(job) == (JobState.DONE, "")
    kept = stored_objects(desk.archives["research"])
    assert len(kept) == len(before)
    assert not kept.keys() & before.keys()
    assert stored_objects(desk.archives["default"]) == before
    for path in written(desk.archives["research"].settings.folder / "store"):
        assert PATIENT_ID.encode() not in path.read_bytes()


def test_the_same_objects_once_more_are_the_same_there(desk: Desk) -> None:
    for _ in range(2):
        assert desk.run(desk.submit("research"))[0] is JobState.DONE
    assert len(stored_objects(desk.archives["research"])) == len(desk.objects)
    assert desk.run(desk.submit("research", Treatments(key="default")))[0] is JobState.DONE
    assert len(stored_objects(desk.archives["research"])) == 2 * len(desk.objects)


def test_a_peer_gets_the_anonymized_objects_and_no_others(desk: Desk) -> None:
    answers = Answers()
    with Node(answers) as node:
        desk.peers.add(peer_at(node.address))
        job = desk.submit(desk.peers.by_name("pacs"))
        assert desk.run(job) == (JobState.DONE, "")
    originals = {stored.sop_instance_uid for stored in desk.objects}
    assert {item.name for item in desk.jobs.items(job)} == originals
    assert len(answers.received) == len(originals)
    assert not originals & answers.received.keys()
    assert not [data for _, data in answers.received.values() if PATIENT_ID.encode() in data]
    assert list(desk.archives["default"].scratch_folder.iterdir()) == []


def test_what_the_peer_has_is_not_sent_again_and_comes_under_the_same_uids(desk: Desk) -> None:
    class Dies(Answers):
        def __call__(self, association: Association, message: Message) -> None:
            if len(self.order) == 4:
                self.order.append("")
                association.abort()
            else:
                super().__call__(association, message)

    answers = Dies()
    with Node(answers) as node:
        desk.peers.add(peer_at(node.address, retries=1, retry_delay_s=0.1))
        job = desk.submit(desk.peers.by_name("pacs"))
        assert desk.run(job)[0] is not JobState.DONE
        assert desk.jobs.get(job).counts.sent == 4
        if desk.jobs.get(job).state is JobState.FAILED:
            desk.jobs.retry(job)
        assert desk.run(job)[0] is JobState.DONE
    assert len(answers.order) == len(set(answers.order)) == len(desk.objects) + 1


def test_an_object_that_cannot_be_made_safe_goes_nowhere(desk: Desk, generated_set: GeneratedSet) -> None:
    list(import_files(desk.archives["default"], [generated_set.secondary_capture, generated_set.structured_report]))
    answers = Answers()
    with Node(answers) as node:
        desk.peers.add(peer_at(node.address))
        job = desk.submit(desk.peers.by_name("pacs"))
        assert desk.run(job)[0] is JobState.FAILED
    assert desk.jobs.get(job).counts == Counts(sent=len(desk.objects) - 2, failed=2)
    assert len(answers.received) == len(desk.objects) - 2
    said = " ".join(desk.comments(job, ItemState.FAILED))
    assert "pixels may show" in said
    assert "structured report" in said


def test_pixel_rules_of_the_data_folder_hold_for_jobs(desk: Desk, generated_set: GeneratedSet) -> None:
    list(import_files(desk.archives["default"], [generated_set.secondary_capture]))
    rules = '{"rules": [{"name": "ours", "sop_class": "1.2.840.10008.5.1.4.1.1.7*", "clean": true}]}'
    (desk.folder / "pixel-rules.json").write_text(rules)
    assert desk.run(desk.submit("research"))[0] is JobState.DONE


def test_without_its_key_nothing_leaves(desk: Desk) -> None:
    job = desk.submit("research", Treatments(key="lost"))
    state, message = desk.run(job)
    assert state is JobState.FAILED
    assert "there is no key 'lost'" in message
    assert stored_objects(desk.archives["research"]) == {}


def test_what_is_gone_or_another_one_by_now_is_said(desk: Desk, generated_set: GeneratedSet) -> None:
    job = desk.submit("research")
    gone, another = desk.objects[:2]
    desk.archives["default"].delete([gone, another])
    (file,) = (path for path in generated_set.files if pydicom.dcmread(path).SOPInstanceUID == another.sop_instance_uid)
    dataset = pydicom.dcmread(file)
    dataset.PatientComments = "not asked for"
    dataset.save_as(desk.folder / "another.dcm")
    list(import_files(desk.archives["default"], [desk.folder / "another.dcm"]))
    assert desk.run(job)[0] is JobState.FAILED
    assert desk.comments(job, ItemState.FAILED) == {
        "the archive no longer has the object",
        "another object has come under its UID, and was not asked for",
    }


def test_a_rule_leaves_out_what_was_anonymized_before(desk: Desk, generated_set: GeneratedSet) -> None:
    dataset = pydicom.dcmread(generated_set.ct[0])
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("2.25.99")
    dataset.DeidentificationMethod = ["Radfuse 0.1", "PS3.15"]
    ours = desk.folder / "ours.dcm"
    dataset.save_as(ours)
    list(import_files(desk.archives["default"], [ours]))
    job = desk.submit("research", rule="to-research")
    assert desk.run(job)[0] is JobState.DONE
    assert desk.jobs.get(job).counts.warned == 1
    (comment,) = desk.comments(job, ItemState.WARNED)
    assert "round in a circle" in comment
    assert desk.run(desk.submit("research"))[0] is JobState.DONE
    assert len(stored_objects(desk.archives["research"])) == len(desk.objects)


def test_what_makes_no_sense_is_not_queued(desk: Desk) -> None:
    closed = peer_at(("127.0.0.1", 104), send=False)
    for objects, how, to, said in (
        ([], HOW, "research", "nothing to anonymize"),
        (desk.objects, HOW, "default", "among their originals"),
        (desk.objects, Treatments(("names",)), "research", "is none of"),
        (desk.objects, HOW, closed, "is turned off"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            new_anonymization(desk.jobs, objects, how, to)
    assert desk.jobs.list() == []


def test_a_kept_object_that_is_damaged_is_not_anonymized(desk: Desk) -> None:
    archive = desk.archives["default"]
    stored = desk.objects[0]
    assert stored_source(archive, stored).read().size_bytes > stored.size_bytes
    path = archive.path_of(stored)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BlobDamaged, match="damaged"):
        stored_source(archive, stored).read()
