"""What the engine does with the pixels of one object, before its elements are judged and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from radfuse.core.errors import CannotAnonymize
from radfuse.deid.options import Option, Profile
from radfuse.deid.pixels.blanking import Blanked, Blanker, frames_of
from radfuse.deid.pixels.faces import may_show_a_face
from radfuse.deid.pixels.judging import PixelPolicy, Verdict, judge
from radfuse.deid.pixels.native_frames import gray_frames
from radfuse.deid.pixels.picture import BURNED_IN, PIXEL_DATA
from radfuse.deid.pixels.rectangles import Rectangle
from radfuse.deid.pixels.text_reader import TextReader
from radfuse.dicom.tree import Node, Tree

_OVERLAY_GROUPS: Final = 0x6000, 0x601E
_OVERLAY_DATA: Final = 0x3000
_SOP_INSTANCE_UID: Final = 0x0008_0018
_RECOGNIZABLE: Final = 0x0028_0302
"""Recognizable Visual Features (PS3.3 section C.7.6.1)."""
_MOST_FRAMES_READ: Final = 64


@dataclass(slots=True)
class PixelsDone:
    """What became of the pixels of one object."""

    transfer_syntax_uid: str
    verdict: Verdict
    blanked: Blanked | None = None
    warnings: list[str] = field(default_factory=list)
    is_faceless: bool = False
    """Whether the region of a face is no longer in it."""

    def sign(self, tree: Tree) -> None:
        """Say it in the object: Burned In Annotation, and no overlay group without its bits."""
        if self.is_faceless:
            tree.put(Node(_RECOGNIZABLE, "CS", b"NO"))
        if self.verdict.is_clean:
            tree.put(Node(BURNED_IN, "CS", b"NO"))
        if self.verdict.overlay_bits:
            first, last = _OVERLAY_GROUPS
            for group in range(first, last + 1, 2):
                if group << 16 | _OVERLAY_DATA not in tree.nodes:
                    tree.nodes = {tag: node for tag, node in tree.nodes.items() if tag >> 16 != group}


class PixelStep:
    """Judges, and blanks where that was judged. Raises CannotAnonymize for what may not leave."""

    def __init__(self, profile: Profile, policy: PixelPolicy | None = None, blanker: Blanker | None = None) -> None:
        self._profile = profile
        self._policy = policy or PixelPolicy()
        self._blanker = blanker
        self._reader = TextReader() if self._policy.reads_text and Option.PIXELS in profile else None
        if self._reader is not None:
            self._reader.require()

    def clean(self, tree: Tree, sop_class_uid: str, transfer_syntax_uid: str) -> PixelsDone:
        """The pixels of ``tree``, in place."""
        verdict = judge(tree, sop_class_uid, transfer_syntax_uid, self._profile, self._policy)
        if verdict.refusal:
            raise CannotAnonymize(verdict.refusal)
        done = PixelsDone(transfer_syntax_uid, verdict)
        if PIXEL_DATA not in tree.nodes:
            return done
        rectangles = verdict.blanked
        if face := may_show_a_face(tree):
            if Option.FACES in self._profile:
                rectangles += self._face(tree, face, done)
            else:
                done.warnings.append(face)
        if verdict.reads_text:
            rectangles += self._texts(tree, transfer_syntax_uid, rectangles)
            done.warnings.append("text was looked for in its pixels; small or faint text may not have been found")
        if verdict.reason:
            done.warnings.append(f"its pixels {'were blanked' if rectangles else 'stay as they are'}: {verdict.reason}")
        if rectangles or verdict.overlay_bits:
            self._blank(tree, done, rectangles)
        return done

    def close(self) -> None:
        """End the child process."""
        if self._blanker is not None:
            self._blanker.close()
            self._blanker = None

    def _blank(self, tree: Tree, done: PixelsDone, rectangles: tuple[Rectangle, ...]) -> None:
        before, bits = done.transfer_syntax_uid, done.verdict.overlay_bits
        after = self._ready().blank(tree, before, rectangles, bits)
        done.transfer_syntax_uid = after
        done.blanked = Blanked(
            done.verdict.reason or "the region of the face", rectangles, frames_of(tree), bits, before, after
        )

    def _face(self, tree: Tree, face: str, done: PixelsDone) -> tuple[Rectangle, ...]:
        """Where the face is. Raises CannotAnonymize where that was not found out."""
        uid = tree.ascii(_SOP_INSTANCE_UID)
        boxes = self._policy.faces.get(uid)
        if boxes is None:
            why = self._policy.lost_faces.get(uid, "a face is found in the files of a whole series, not in one object")
            raise CannotAnonymize(f"it {face}; {why}")
        done.is_faceless = True
        done.warnings.append(
            "the region of the face was blanked by a simple mask; look at it before it is given away"
            if boxes
            else "it was searched for a face, and is above or below it"
        )
        return tuple(Rectangle(*box) for box in boxes)

    def _texts(self, tree: Tree, transfer_syntax_uid: str, blanked: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """Boxes of text beside what is blanked anyway, of all frames together."""
        assert self._reader is not None  # noqa: S101 - the policy asked for it
        if frames_of(tree) > _MOST_FRAMES_READ:
            raise CannotAnonymize(f"text is looked for in at most {_MOST_FRAMES_READ} frames, and it has more")
        found: dict[Rectangle, None] = {}
        with self._ready().native(tree, transfer_syntax_uid) as image:
            for frame in gray_frames(image, tree):
                for box in (*blanked, *found):
                    frame[box.top : box.bottom, box.left : box.right] = 0
                found |= dict.fromkeys(self._reader.boxes(frame))
        return tuple(found)

    def _ready(self) -> Blanker:
        if self._blanker is None:
            self._blanker = Blanker()
        return self._blanker
