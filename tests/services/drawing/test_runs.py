"""Runs: any voxels there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radfuse.core.errors import InvalidRegion
from radfuse.services.drawing.runs import decoded, encoded


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3)))
def test_any_voxels_come_back_from_their_runs(inside: np.ndarray) -> None:
    runs = encoded(inside)
    assert np.array_equal(decoded(runs, inside.shape), inside)
    lengths = np.frombuffer(runs, "<u4")
    assert lengths.sum() == inside.size
    assert (lengths[1:] > 0).all()


def test_runs_begin_outside_and_follow_slices_rows_columns() -> None:
    inside = np.zeros((2, 2, 3), dtype=np.bool_)
    inside[0, 1, 2] = inside[1, 0, 0] = inside[1, 0, 1] = True
    assert np.frombuffer(encoded(inside), "<u4").tolist() == [5, 3, 4]
    assert np.frombuffer(encoded(np.ones((1, 1, 4), dtype=np.bool_)), "<u4").tolist() == [0, 4]


@pytest.mark.parametrize(
    ("runs", "shape", "words"),
    [
        (b"\x01\x00\x00", (1, 1, 1), "four bytes"),
        (np.array([3], "<u4").tobytes(), (1, 1, 4), "3 voxels long, its box holds 4"),
        (np.array([2**32 - 1] * 8, "<u4").tobytes(), (1, 1, 4), "voxels long"),
        (b"", (1, 1, 1), "0 voxels long"),
        (b"", (65_535, 65_535, 65_535), "too large"),
    ],
)
def test_runs_that_do_not_fill_their_box_are_refused(runs: bytes, shape: tuple[int, int, int], words: str) -> None:
    with pytest.raises(InvalidRegion, match=words):
        decoded(runs, shape)
