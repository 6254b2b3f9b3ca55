"""Plans: what goes on which medium, what is converted, and what the profile refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydicom import dcmread

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError, DoesNotFit, InvalidUID, UnknownEntity
from radfuse.services.export_media import MediaAsk, plan_export
from radfuse.services.import_media import import_files
from radfuse.services.selection import InstanceAddress, Selection, SeriesAddress
from tests.archive.objects import IMPLANT_TEMPLATE, AnObject, file_of, store
from tests.media.objects import file_of as file_of_object
from tests.media.objects import object_of
from tests.services.export_media.conftest import whole_study
from tests.support.generate import STUDY_UID, GeneratedSet

J2K = "1.2.840.10008.1.2.4.90"


def test_a_plan_counts_objects_bytes_and_conversions(filled: Archive, generated_set: GeneratedSet) -> None:
    told: list[tuple[int, int]] = []
    plan = plan_export(filled, whole_study(), progress=lambda done, total: told.append((done, total)))
    count = len(generated_set.files)
    assert (plan.objects, plan.studies, len(plan.volumes), plan.refused) == (count, [STUDY_UID], 1, 0)
    assert told[-1] == (count, count)
    assert plan.size_bytes >= sum(path.stat().st_size for path in generated_set.files) * 0.9
    facts = plan.as_json()
    assert facts == json.loads(json.dumps(facts))
    assert facts["conversions"] == [
        {
            "from": "Implicit VR Little Endian",
            "to": "Explicit VR Little Endian",
            "objects": len(generated_set.pet) + 1,
        }
    ]


def test_an_ask_is_the_same_after_json() -> None:
    ask = MediaAsk(
        "STD-GEN-CD",
        Selection(("2.25.1",), (SeriesAddress("2.25.1", "2.25.2"),), (InstanceAddress("2.25.1", "2.25.2", "2.25.3"),)),
        ("2.25.4",),
        True,
        True,
        "SET",
        700,
    )
    assert MediaAsk.of_json(json.loads(json.dumps(ask.as_json()))) == ask
    alone = MediaAsk("STD-GEN-CD", None, ("2.25.4",))
    assert MediaAsk.of_json(alone.as_json()) == alone


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({}, ConfigurationError),
        ({"objects": ("x",)}, InvalidUID),
        ({"objects": ("2.25.1",), "medium_bytes": 0}, ConfigurationError),
        ({"objects": ("2.25.1",), "file_set_id": "lower"}, ConfigurationError),
    ],
)
def test_what_cannot_be_asked_is_refused(more: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        MediaAsk("STD-GEN-CD", **more)  # type: ignore[arg-type]


def test_a_profile_is_found_in_any_case_and_an_unknown_one_names_the_known(filled: Archive) -> None:
    assert plan_export(filled, whole_study("std-gen-cd")).ask.profile == "STD-GEN-CD"
    with pytest.raises(ConfigurationError, match="STD-GEN-DVD-J2K"):
        plan_export(filled, whole_study("STD-GEN-FLOPPY"))


def test_what_is_not_kept_cannot_be_planned(filled: Archive) -> None:
    for ask in (MediaAsk("STD-GEN-CD", Selection(["2.25.404"])), MediaAsk("STD-GEN-CD", objects=("2.25.404",))):
        with pytest.raises(UnknownEntity):
            plan_export(filled, ask)


def test_every_refusal_has_its_class_its_rule_and_a_sentence(filled: Archive, generated_set: GeneratedSet) -> None:
    plan = plan_export(filled, whole_study("STD-CTMR-CD"))
    classes = {refusal.as_json()["sop_class"]: refusal for refusal in plan.refusals if refusal.rule == "class"}
    assert classes["Positron Emission Tomography Image Storage"].objects == len(generated_set.pet)
    assert "RT Structure Set Storage" in classes
    assert all("STD-CTMR-CD does not take" in refusal.sentence for refusal in classes.values())
    assert plan.objects + plan.refused == len(generated_set.files)
    assert plan.as_json()["refused"] == plan.refused


def test_a_damaged_object_is_a_refusal(filled: Archive) -> None:
    store(filled, AnObject("2.25.600", study="2.25.61"))
    filled.settle()
    file_of(filled, "2.25.600").write_bytes(b"")
    plan = plan_export(filled, MediaAsk("STD-GEN-CD", Selection(["2.25.61"])))
    assert (plan.objects, plan.refused) == (0, 1)
    assert "radfuse check" in plan.refusals[0].sentence


def test_studies_are_split_over_media_and_a_large_one_between_its_series(archive: Archive) -> None:
    for number in range(6):
        pixels = bytes(400_000)
        store(archive, AnObject(f"2.25.7{number}", f"2.25.20.{number}", f"2.25.10.{number // 4}", pixels=pixels))
    ask = MediaAsk("STD-GEN-CD", Selection(["2.25.10.0", "2.25.10.1"]), medium_bytes=1_500_000)
    plan = plan_export(archive, ask)
    assert [len(volume.objects) for volume in plan.volumes] == [2, 2, 2]
    assert [volume.studies for volume in plan.volumes] == [["2.25.10.0"], ["2.25.10.0"], ["2.25.10.1"]]
    assert plan.warnings == ["1 study is larger than a medium and is split between its series"]
    with pytest.raises(DoesNotFit, match="choose a larger medium"):
        plan_export(archive, MediaAsk("STD-GEN-CD", Selection(["2.25.10.0"]), medium_bytes=500_000))


def test_objects_without_a_patient_are_named_by_themselves(archive: Archive) -> None:
    store(archive, AnObject("2.25.800", sop_class=IMPLANT_TEMPLATE))
    plan = plan_export(archive, MediaAsk("STD-GEN-CD", objects=("2.25.800",)))
    assert plan.objects + plan.refused == 1
    assert plan.studies == []


def test_objects_without_a_patient_are_split_one_by_one(archive: Archive, tmp_path: Path) -> None:
    for number in range(3):
        template = object_of(IMPLANT_TEMPLATE, number)
        template.EncapsulatedDocument = bytes(400_000)
        template["EncapsulatedDocument"].VR = "OB"
        (tmp_path / str(number)).write_bytes(file_of_object(template))
    uids = tuple(
        dcmread(tmp_path / str(number), specific_tags=["SOPInstanceUID"]).SOPInstanceUID for number in range(3)
    )
    assert len(list(import_files(archive, [tmp_path / str(number) for number in range(3)]))) == 3
    plan = plan_export(archive, MediaAsk("STD-GEN-CD", objects=uids, medium_bytes=1_000_000))
    assert [len(volume.objects) for volume in plan.volumes] == [1, 1, 1]
    with pytest.raises(DoesNotFit, match=rf"object {uids[0]} needs .* choose a larger medium$"):
        plan_export(archive, MediaAsk("STD-GEN-CD", objects=uids, medium_bytes=500_000))


def test_loss_is_only_where_it_is_asked_for_and_said(filled: Archive, generated_set: GeneratedSet) -> None:
    assert not plan_export(filled, whole_study("STD-GEN-DVD-J2K")).warnings
    plan = plan_export(filled, whole_study("STD-GEN-DVD-J2K", with_loss=True))
    lossy = [each for volume in plan.volumes for each in volume.objects if each.derived_uid]
    assert len(lossy) >= len(generated_set.ct)
    assert plan.warnings == [f"{len(lossy)} images are compressed with loss: each becomes an instance of its own"]
    assert len({each.derived_uid for each in lossy}) == len(lossy)


def test_planning_writes_nothing(filled: Archive, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    plan_export(filled, whole_study())
    assert sorted(tmp_path.rglob("*")) == before
