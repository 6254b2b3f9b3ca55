"""Regions in objects however they are stored; what is damaged is refused with a sentence."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.archive import Archive
from radfuse.core.errors import RadfuseError, UnknownEntity, UnreadableObject
from radfuse.core.transfer_syntaxes import JPEG_2000_LOSSLESS
from radfuse.dicom import Transcoder, build_file_meta, read_file_meta
from radfuse.geometry import Mask
from radfuse.objects.common import codes
from radfuse.objects.seg import Content, NewSegment, SegmentationKind, SegmentFacts, build_segmentation
from radfuse.services.contours import grid_of, images_of, region_on, regions_in
from radfuse.services.import_media import files_below, import_files
from radfuse.services.new_regions import headers_of
from radfuse.services.one_object import object_named
from radfuse.services.region_objects import region_in
from tests.support.judges import written
from tests.support.lesions import inside_ball, write_ball
from tests.support.made import made_from, making


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_ball(tmp_path_factory.mktemp("ct") / "ct")


@pytest.fixture(scope="module")
def segmentation(ct: list[Path]) -> Dataset:
    """The ball as fractions: a byte a voxel, which codecs know."""
    stack = images_of(None, ct)
    images = headers_of(stack)
    segment = NewSegment.of(SegmentFacts("ball", codes.TISSUE, codes.TISSUE), Mask(grid_of(stack), inside_ball()))
    return build_segmentation(
        [segment],
        grid_of(stack),
        images,
        content=Content(kind=SegmentationKind.FRACTIONAL),
        provenance=made_from(images),
        making=making(""),
    )


@pytest.fixture(scope="module")
def compressed(segmentation: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compressed")
    plain, packed = written(segmentation, folder), folder / "packed"
    with Transcoder(children=1) as transcoder:
        transcoder.transcode(plain, JPEG_2000_LOSSLESS, packed)
    meta = replace(read_file_meta(plain.read_bytes()), transfer_syntax_uid=JPEG_2000_LOSSLESS)
    path = folder / "packed.dcm"
    path.write_bytes(build_file_meta(meta) + packed.read_bytes())
    return path


def test_a_compressed_segmentation_has_the_voxels_of_the_plain_one(
    ct: list[Path], compressed: Path, archive: Archive
) -> None:
    assert str(dcmread(compressed).file_meta.TransferSyntaxUID) == JPEG_2000_LOSSLESS
    grid = grid_of(images_of(None, ct))
    list(import_files(archive, files_below([compressed])))
    uid = str(dcmread(compressed).SOPInstanceUID)
    assert np.array_equal(region_on(archive, uid, "1", grid).mask.inside, inside_ball())


def test_pixels_that_no_codec_decodes_are_refused(compressed: Path, tmp_path: Path) -> None:
    content = bytearray(compressed.read_bytes())
    begin = content.index(b"\xff\x4f\xff\x51")  # the first frame's code stream (ISO 15444-1)
    content[begin:] = bytes(len(content) - begin)
    path = tmp_path / "broken.dcm"
    path.write_bytes(content)
    with pytest.raises(UnreadableObject, match=r"damaged|decoded"):
        regions_in(None, path)


def test_wrong_bytes_are_read_or_refused_and_nothing_else(segmentation: Dataset, tmp_path: Path) -> None:
    whole = written(segmentation, tmp_path).read_bytes()
    chance = random.Random(5)
    path = tmp_path / "wrong.dcm"
    refused = 0
    for _ in range(150):
        content = bytearray(whole[: chance.randrange(132, len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(4):
            content[chance.randrange(132, min(len(content), 1500))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            regions_in(None, path)
        except RadfuseError:
            refused += 1
    assert refused > 20


def test_an_object_of_the_archive_needs_one() -> None:
    with pytest.raises(UnknownEntity):
        object_named(None, "2.25.1")
    with pytest.raises(UnknownEntity):
        region_in(None, "2.25.1", "ball")
