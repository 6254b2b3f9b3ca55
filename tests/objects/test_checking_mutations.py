"""Every fault that is put into an object is found, and no fewer than dciodvfy finds.

The objects are whole and small, one of every class that we write (tests/support/whole_objects.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from radfuse.objects.checking import faults_of
from radfuse.objects.checking.conditions import wanted_modules
from radfuse.objects.checking.model import Path as Place
from radfuse.objects.checking.tables import WRITTEN_CLASSES, Level, plan_of
from radfuse.objects.common import encode
from tests.support import judges
from tests.support.whole_objects import EXAMPLES

_IDENTITY = (0x00080016, 0x00080018)
"""SOP class and instance: without them there is no IOD to look at, and no file to write."""

_DECIDING = (0x00280103, 0x00280100, 0x00620001)
"""Without Pixel Representation and Bits Allocated pydicom cannot write the file that dciodvfy is to read, and
without Segmentation Type dciodvfy takes a label map for a binary segmentation."""

_EXCEPTIONS = {
    "LongCodeValue": "an alternative of Code Value, which we name",
    "URNCodeValue": "an alternative of Code Value, which we name",
    "DoubleFloatRealWorldValueFirstValueMapped": "an alternative of Real World Value First Value Mapped",
    "DoubleFloatRealWorldValueLastValueMapped": "an alternative of Real World Value Last Value Mapped",
    "RealWorldValueLUTData": "an alternative of Real World Value Slope and Intercept",
    "PresentationPixelSpacing": "an alternative of Presentation Pixel Aspect Ratio",
    "ModalityLUTSequence": "an alternative of Rescale Intercept",
}
"""What dciodvfy names and we do not."""


@cache
def whole(name: str) -> Dataset:
    return EXAMPLES[name]()


def plan_level(ds: Dataset) -> Level:
    plan = plan_of(str(ds.SOPClassUID))
    assert plan is not None
    return plan.level_for((int(tag) for tag in ds.keys()), wanted_modules(ds, plan))  # noqa: SIM118


def required(ds: Dataset, level: Level, path: Place = ()) -> Iterator[tuple[Dataset, DataElement, Place]]:
    """Every element of type 1 that is there, the items of each sequence looked at once."""
    for element in list(ds):
        tag = int(element.tag)
        if level.types.get(tag) == "1":
            yield ds, element, (*path, tag)
        if element.VR == "SQ" and tag in level.items and element.value:
            yield from required(element.value[0], level.items[tag], (*path, tag, "[1]"))


def test_an_example_of_every_class_is_here() -> None:
    assert {str(whole(name).SOPClassUID) for name in EXAMPLES} == set(WRITTEN_CLASSES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_attribute_of_type_1_that_is_deleted_or_emptied_is_found(name: str) -> None:
    ds = deepcopy(whole(name))
    assert faults_of(ds) == ()
    unseen, tried = [], 0
    for holder, element, place in list(required(ds, plan_level(ds))):
        for replacement in (None, DataElement(element.tag, element.VR, [] if element.VR == "SQ" else None)):
            del holder[element.tag]
            if len(place) == 1 and place[0] not in _IDENTITY and plan_level(ds).types.get(int(element.tag)) != "1":
                holder.add(element)
                continue  # it was all there was of an optional module, which is gone
            if replacement is not None:
                holder.add(replacement)
            if not any(fault.path[: len(place)] == place for fault in faults_of(ds)):
                unseen.append((place, replacement is not None))
            tried += 1
            holder.add(element)
    assert unseen == []
    assert tried > 20


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("where", ["top", "nested"])
def test_what_dciodvfy_misses_after_deletions_we_miss_too(name: str, where: str, tmp_path: Path) -> None:
    ds = deepcopy(whole(name))
    if where == "top":
        for tag, _ in plan_level(ds).required:
            if tag not in (*_IDENTITY, *_DECIDING) and tag in ds:
                del ds[tag]
    else:
        for element in ds:
            if element.VR == "SQ":
                for item in element.value:
                    for inner in [inner for inner in item if inner.VR != "SQ"]:
                        del item[inner.tag]
    ours = {keyword_for_tag(step) for fault in faults_of(ds) for step in fault.path if isinstance(step, int)}
    lines = [line for line in judges.dciodvfy(judges.written(ds, tmp_path)) if "Missing attribute" in line]
    theirs = {match[1] for line in lines if (match := re.search(r"Element=<(\w+)>", line))}
    assert len(theirs) > 1 or where == "nested"
    assert theirs - ours - set(_EXCEPTIONS) == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_object_is_as_valid_when_it_was_read_from_its_file(name: str) -> None:
    assert faults_of(dcmread(BytesIO(encode(whole(name))))) == ()
