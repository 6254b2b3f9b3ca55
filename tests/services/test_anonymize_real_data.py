"""The shared set anonymized: everything searched for what identifies, and what belongs together found together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest

from radfuse.deid import ProjectKey
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Tree, read_tree
from radfuse.dicom.words import tag_of
from radfuse.fusion import ColourMap, Colours, Window, blended, reslice
from radfuse.services.anonymize import Recipe, Verdict, profile_of, sources_of
from radfuse.services.anonymize_verify import verify_files
from radfuse.services.import_media import files_below
from radfuse.volume import Unit, read_stack, stacks_of
from tests.services.anonymize_scenes import KEY, run, written

ALL = ("structured-content", "graphics", "descriptors", "pixels", "private")
PROCESSES = min(2, os.cpu_count() or 1)
Pairs = Callable[..., list[tuple[Path, Path]]]
EXPECTED = (
    "does not say what it is",
    "malformed data set",
    "its pixels may show",
    "its pixels cannot be blanked",
    "has been written already",
    "a PDF cannot be cleaned",
    "a DICOMDIR",
    "nesting",
    "raw data",
    "recording of sound",
    "it is a",
    "its document",
)
"""Why an object of the shared set may be refused; a leak is none of it."""


@pytest.fixture
def pairs(shared_data: Path, tmp_path: Path) -> Pairs:
    """Anonymizes a folder of the shared set; each object before and after."""

    def made(name: str, *options: str, preset: str = "") -> list[tuple[Path, Path]]:
        recipe = Recipe(profile_of(options, preset), KEY)
        found = []
        for outcome in run(files_below([shared_data / name]), tmp_path / "out", recipe, PROCESSES):
            if outcome.verdict is Verdict.REFUSED:
                assert any(words in outcome.reason for words in EXPECTED), outcome
            elif outcome.path:
                found.append((Path(outcome.name), tmp_path / "out" / outcome.path))
        assert found
        return found

    return made


def data_sets(found: list[tuple[Path, Path]]) -> list[tuple[pydicom.Dataset, pydicom.Dataset]]:
    """The objects in them."""
    return [(pydicom.dcmread(before, force=True), pydicom.dcmread(after)) for before, after in found]


@pytest.mark.slow
def test_all_of_the_shared_set_passes_the_leak_scan_or_is_refused_for_a_known_reason(
    shared_data: Path, tmp_path: Path
) -> None:
    outcomes = run(files_below([shared_data]), tmp_path, Recipe(profile_of(ALL, "pet"), KEY), PROCESSES)
    refused = [outcome for outcome in outcomes if outcome.verdict is Verdict.REFUSED]
    strange = [each for each in refused if not any(words in each.reason for words in EXPECTED)]
    assert not strange, strange
    assert len(refused) < len(outcomes) / 5
    wrong = [
        (judged.name, finding.where, finding.what)
        for judged in verify_files(written(tmp_path)[::7])
        for finding in judged.findings
        if finding.is_wrong
    ]
    assert wrong == []


def test_pet_and_ct_decode_to_the_same_pixels_in_the_same_place(
    pairs: Pairs,
) -> None:
    found = [pair for pair in data_sets(pairs("petct/sts-001", preset="pet")) if pair[0].Modality in ("PT", "CT", "MR")]
    frames: dict[str, set[str]] = {}
    for before, after in found:
        assert np.array_equal(before.pixel_array, after.pixel_array)
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"):
            assert before.get(keyword) == after.get(keyword), keyword
        frames.setdefault(before.FrameOfReferenceUID, set()).add(after.FrameOfReferenceUID)
        assert after.FrameOfReferenceUID != before.FrameOfReferenceUID
    assert all(len(mapped) == 1 for mapped in frames.values())
    assert len(frames) < len(found)


def fused(files: Sequence[Path]) -> dict[int, Colours]:
    """PET in SUV over CT in HU, on three slices of the CT."""
    ct, pet = (
        next(read_stack(stack) for stack in stacks_of(files) if not stack.refusal and stack.unit is unit)
        for unit in (Unit.HU, Unit.SUV_BW)
    )
    slices, rows, columns = ct.grid.shape
    pictures = {}
    for number in (slices // 4, slices // 2, 3 * slices // 4):
        plane = ct.grid.cropped((number, 0, 0), (1, rows, columns))
        below, above = reslice(ct, plane), reslice(pet, plane)
        pictures[number] = blended(
            below, Window(-160, 240, ColourMap.GRAY), above, Window(0, 5, ColourMap.HOT_IRON), opacity=0.5
        )
    return pictures


def test_pet_over_ct_is_the_same_picture_before_and_after(pairs: Pairs) -> None:
    found = pairs("petct/sts-003", preset="pet")
    before, after = (fused([pair[which] for pair in found]) for which in (0, 1))
    assert before.keys() == after.keys()
    for number, picture in before.items():
        assert picture.any(axis=-1).mean() > 0.1
        assert np.array_equal(picture, after[number])


def test_what_suv_needs_stays_true_with_the_preset_for_pet(
    pairs: Pairs,
) -> None:
    for before, after in data_sets(pairs("petct/vendor-headers", preset="pet")):
        if before.Modality != "PT" or "RadiopharmaceuticalInformationSequence" not in before:
            continue
        for keyword in ("Units", "DecayCorrection", "PatientWeight", "PatientSize", "PatientSex"):
            assert before.get(keyword) == after.get(keyword), keyword
        assert before.get("SeriesTime") == after.get("SeriesTime")
        old = before.RadiopharmaceuticalInformationSequence[0]
        new = after.RadiopharmaceuticalInformationSequence[0]
        for keyword in ("RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime"):
            assert old.get(keyword) == new.get(keyword), keyword


def tree_of(path: Path) -> Tree:
    """What is in a file."""
    content = path.read_bytes()
    meta = read_file_meta(content)
    return read_tree(content, meta.transfer_syntax_uid, meta.data_offset)


def references(tree: Tree) -> Iterator[str]:
    """Every instance and frame of reference that an object names, at any level."""
    named = (tag_of("ReferencedSOPInstanceUID"), tag_of("ReferencedFrameOfReferenceUID"))
    yield from (bytes(node.value).decode("ascii").strip("\0 ") for _, node in tree.walk() if node.tag in named)


def resolved(trees: Sequence[Tree]) -> list[tuple[int, int]]:
    """Each reference that leads somewhere in the set: the objects (by their order) from and to which it leads."""
    places = {tree.ascii(tag_of("SOPInstanceUID")): number for number, tree in enumerate(trees)}
    places |= {uid: -1 for tree in trees if (uid := tree.ascii(tag_of("FrameOfReferenceUID")))}
    return [(number, places[uid]) for number, tree in enumerate(trees) for uid in references(tree) if uid in places]


@pytest.mark.parametrize("name", ["petct/sts-003", "ct-rtstruct", "seg", "sr"])
def test_references_resolve_after_it_as_they_did_before(name: str, pairs: Pairs) -> None:
    found = pairs(name, *ALL, preset="pet")
    before, after = ([tree_of(pair[which]) for pair in found] for which in (0, 1))
    assert resolved(before) == resolved(after)
    assert resolved(before)
    originals = {uid for tree in before for uid in references(tree) if not uid.startswith("1.2.840.10008.")}
    assert not originals & {uid for tree in after for uid in references(tree)}


def test_another_key_gives_other_pseudonyms_everywhere(shared_data: Path, tmp_path: Path) -> None:
    files = files_below([shared_data / "petct" / "sts-003"])[:3]
    for name in ("a", "b"):
        run(files, tmp_path / name, Recipe(profile_of([]), ProjectKey(name.encode() * 32)))
    first, second = ({path.name for path in written(tmp_path / name)} for name in ("a", "b"))
    assert not first & second
    assert len(list(sources_of(files))) == 3
