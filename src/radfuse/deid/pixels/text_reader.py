"""Text in pixels, found by the program tesseract: an optional extra, which no other part needs.

What it does not find is not gone: it reads print, not handwriting, and misses what is small or faint.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from radfuse.core.errors import CannotAnonymize, ConfigurationError
from radfuse.deid.pixels.rectangles import Rectangle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEEDS: Final = "tesseract"
_TIMEOUT_S: Final = 60.0
_SMALLEST_MARGIN_PIXELS: Final = 4
_LOWEST_CONFIDENCE: Final = 30.0
"""Of 100. Low: a box too many costs pixels, one too few costs a name."""
_FEWEST_SIGNS: Final = 2
_WAYS: Final = ((2, "11"), (3, "11"), (2, "6"))
"""Scale (letters on screens are smaller than what the program was made for) and page segmentation mode:
sparse text, sparse text, one block."""
_COLUMNS: Final = 12
_ROUNDS: Final = 4


class TextReader:
    """Finds boxes of text in frames of gray values."""

    def is_available(self) -> bool:
        """Whether the program is installed."""
        return shutil.which(NEEDS) is not None

    def require(self) -> None:
        """Raise ConfigurationError when it is not installed."""
        if not self.is_available():
            raise ConfigurationError("text recognition", f"the program {NEEDS} is not installed")

    def boxes(self, frame: NDArray[np.uint8]) -> tuple[Rectangle, ...]:
        """All text in one frame, found in several ways: what was found is blanked before the next one.

        Raises CannotAnonymize when the program fails, or still finds text at last.
        """
        left = frame.copy()
        found: list[Rectangle] = []
        for _ in range(_ROUNDS):
            count = len(found)
            for scale, mode in _WAYS:
                seen = self._look(left, scale, mode)
                found += seen
                for box in seen:
                    left[box.top : box.bottom, box.left : box.right] = 0
            if len(found) == count:
                return tuple(found)
        raise CannotAnonymize("text is left in its pixels after all that was found was blanked")

    def _look(self, frame: NDArray[np.uint8], scale: int, mode: str) -> list[Rectangle]:
        import numpy as np

        rows, columns = frame.shape
        # Print is dark on light; screens are the other way round.
        page = 255 - frame if frame.mean() < 128 else frame
        large = np.repeat(np.repeat(page, scale, axis=0), scale, axis=1)
        image = b"P5 %d %d 255\n" % (large.shape[1], large.shape[0]) + large.tobytes()
        command = [NEEDS, "stdin", "stdout", "--psm", mode, "--dpi", "150", "tsv"]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - only pixels reach the program, and none as an argument
                command, input=image, capture_output=True, timeout=_TIMEOUT_S, env=environment, check=True
            )
        except (OSError, subprocess.SubprocessError):
            raise CannotAnonymize("text could not be looked for in its pixels: the program failed") from None
        lines = done.stdout.decode("utf-8", "replace").splitlines()[1:]
        return list(_boxes(lines, scale, rows, columns))


def _boxes(lines: Iterable[str], scale: int, rows: int, columns: int) -> Iterable[Rectangle]:
    """The words of tesseract's table: level, page, block, paragraph, line, word, left, top, width, height, ..."""
    for line in lines:
        cells = line.split("\t")
        if len(cells) != _COLUMNS or float(cells[10]) < _LOWEST_CONFIDENCE:
            continue
        if sum(map(str.isalnum, cells[11])) < _FEWEST_SIGNS:
            continue
        left, top, width, height = (int(cell) // scale for cell in cells[6:10])
        margin = max(_SMALLEST_MARGIN_PIXELS, min(height, width) // 2)
        yield Rectangle(
            max(0, left - margin),
            max(0, top - margin),
            min(columns, left + width + 1 + margin),
            min(rows, top + height + 1 + margin),
        )


def gray_frame(samples: NDArray[Any], luminances: NDArray[Any] | None = None) -> NDArray[np.uint8]:
    """A frame of any values as gray ones from 0 to 255; the brightest of three colours."""
    import numpy as np

    values = samples.max(axis=-1) if samples.ndim == 3 else samples
    if luminances is not None:
        values = luminances[np.clip(values, 0, len(luminances) - 1)]
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    return ((values.astype(np.float32) - low) * (255.0 / (high - low))).astype(np.uint8)
