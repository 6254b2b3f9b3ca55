"""Rectangles made black: what black is in every kind of sample, and that nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radfuse.dicom.blanking import Blanking
from radfuse.dicom.codecs.blanking import as_subsampled, blanked, blanked_subsampled
from radfuse.dicom.codecs.refused import Refused
from tests.dicom.codecs.images import Kind, Samples

BLANKING = Blanking(rectangles=((1, 2, 4, 6),))
COLOUR = Kind(8, 8, colour="RGB")


def contained(kind: Kind) -> Samples:
    """The first frame as unsigned containers."""
    pixels: Samples = kind.pixels()[0]
    containers: Samples = pixels.view(f"u{pixels.dtype.itemsize}")
    return containers


@pytest.mark.parametrize(
    ("photometric", "black"),
    [("RGB", 0), ("YBR_FULL", (0, 128, 128)), ("YBR_RCT", (0, 128, 128)), ("YBR_PARTIAL_420", (16, 128, 128))],
)
def test_black_in_colours(photometric: str, black: int | tuple[int, ...]) -> None:
    before = contained(COLOUR)
    after = blanked(before, BLANKING, photometric, COLOUR.description())
    assert (after[2:6, 1:4] == black).all()
    after[2:6, 1:4] = before[2:6, 1:4]
    assert np.array_equal(after, before)


@pytest.mark.parametrize("photometric", ["HSV", "CMYK", "PALETTE COLOR"])
def test_where_nobody_knows_what_is_black_nothing_is_done(photometric: str) -> None:
    with pytest.raises(Refused, match="black"):
        blanked(contained(COLOUR), BLANKING, photometric, COLOUR.description())


def test_the_sign_goes_on_above_the_stored_bits_where_it_does_in_the_others() -> None:
    kind = Kind(12, 16, signed=True)
    extended = contained(kind)
    cut = extended & 0x0FFF
    for before, black in ((extended, 0xF800), (cut, 0x0800)):
        after = blanked(before, BLANKING, "MONOCHROME2", kind.description())
        assert set(np.unique(after[2:6, 1:4])) == {black}


def test_padding_that_does_not_fit_the_samples_is_not_used() -> None:
    for kind, padding in ((Kind(12, 16), 63536), (Kind(12, 16, signed=True), -30000)):
        before = contained(kind)
        after = blanked(before, replace(BLANKING, fill=padding), "MONOCHROME2", kind.description())
        assert after[2, 1] == (int(before.view("i2").min()) & 0xFFFF if kind.signed else 0)


def test_bits_beside_the_samples_are_cleared_everywhere() -> None:
    kind = Kind(12, 16)
    before = contained(kind) | 0x8000
    after = blanked(before, Blanking(cleared_bits=0x8000), "MONOCHROME2", kind.description())
    assert np.array_equal(after, contained(kind))


def test_what_was_given_is_not_changed() -> None:
    kind = Kind(8, 8)
    before = contained(kind)
    blanked(before, BLANKING, "MONOCHROME2", kind.description())
    assert np.array_equal(before, contained(kind))


def test_subsampled_pairs_are_blanked_whole() -> None:
    pairs = np.full((8, 6, 2), 200, np.uint8)
    after = blanked_subsampled(pairs, BLANKING)
    assert (after[2:6, 0:4:2] == 0).all()
    assert (after[2:6, 1:4:2] == 128).all()
    assert (after[:, 4:] == 200).all()


@pytest.mark.parametrize("changes", [{"columns": 17}, {"planar": 1}, {"bits_allocated": 16}])
def test_subsampled_colour_of_another_layout_is_refused(changes: dict[str, int]) -> None:
    description = replace(Kind(8, 8, colour="RGB", columns=18).description(), **changes)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="pairs"):
        as_subsampled(description)


def test_a_request_says_the_same_on_either_side_of_the_pipe() -> None:
    blanking = Blanking(((1, 2, 3, 4),), 0x8000, -5, is_inverted=True)
    assert Blanking.of_request(blanking.as_request()) == blanking
    assert Blanking.of_request(None) is None
