"""Registration objects still join the images they register after both were anonymized."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.deid import Option, Profile, ProjectKey
from radfuse.deid.engine import Anonymizer
from radfuse.geometry import Chain
from radfuse.objects.common import encode
from radfuse.objects.reg import read_registration
from tests.support.generate import GeneratedSet
from tests.support.made import headers
from tests.support.registered import STEP, box, deformable, field_on, inside, moved, spatial

_ANONYMIZER = Anonymizer(Profile(frozenset[Option]()), ProjectKey(b"a key of the tests that is long enough"))
_GRID = box((8, 8, 8), (8, 8, 8))


def _anonymized(content: bytes) -> Dataset:
    return dcmread(io.BytesIO(b"".join(_ANONYMIZER.anonymize(content).pieces)))


def _image(file: Path, frame_uid: str) -> Dataset:
    ds = dcmread(file)
    ds.FrameOfReferenceUID = frame_uid
    return _anonymized(encode(ds))


@pytest.mark.parametrize("kind", ["matrix", "field"])
def test_frames_images_and_the_point_map_survive(kind: str, generated_set: GeneratedSet) -> None:
    ct, mr = headers(generated_set.ct[:1]), moved(headers(generated_set.mr[:1]))
    chain = Chain((STEP,)) if kind == "matrix" else Chain((field_on(_GRID), STEP))
    ds = spatial(chain, ct, mr) if kind == "matrix" else deformable(chain, ct, mr).ds
    before, after = read_registration(ds), read_registration(_anonymized(encode(ds)))
    fixed = _image(generated_set.ct[0], ct[0].FrameOfReferenceUID)
    moving = _image(generated_set.mr[0], mr[0].FrameOfReferenceUID)
    assert after.fixed.uid == fixed.FrameOfReferenceUID != ct[0].FrameOfReferenceUID
    (edge,) = after.edges
    assert edge.moving.uid == moving.FrameOfReferenceUID != mr[0].FrameOfReferenceUID
    assert [image.sop_instance_uid for image in edge.images] == [moving.SOPInstanceUID]
    assert {one.sop_instance_uid for one in after.references} == {fixed.SOPInstanceUID, moving.SOPInstanceUID}
    assert after.creator != "Reader^One"
    points = inside(_GRID, 100)
    assert np.array_equal(edge.transform.apply(points), before.edges[0].transform.apply(points))
