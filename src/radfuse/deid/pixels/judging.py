"""Whether the pixels of an object may leave: as they are, with something blanked, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from radfuse.core.transfer_syntaxes import EXPLICIT_BIG
from radfuse.deid.options import Option, Profile
from radfuse.deid.pixels.picture import BURNED_IN, PIXEL_DATA, Picture, number, risk_of
from radfuse.deid.pixels.rectangles import Rectangle
from radfuse.deid.pixels.regions import outside_regions
from radfuse.deid.pixels.rules import PixelRule, built_in_rules
from radfuse.dicom.tree import Tree

CONFIRMED: Final = "these pixels were looked at and are clean (stated for this run)"
_OVERLAYS: Final = range(0x6000, 0x6020, 2)
_OVERLAY_BIT_POSITION: Final = 0x0102
_OVERLAY_DATA: Final = 0x3000
_BITS_STORED: Final = 0x0028_0101


@dataclass(frozen=True, slots=True)
class PixelPolicy:
    """What is known of pixels beside the objects.

    ``rules``: one's own, which go before those that come along. ``clean_pixels_confirmed``: somebody
    states that the pixels of this run were looked at and show nothing that identifies. ``reads_text``:
    text is looked for with ``TextReader`` and blanked, where the option to clean pixels is on.
    ``faces``: where the face is in slices of a head, by SOP Instance UID (left, top, right, bottom);
    ``lost_faces``: why it is not known.
    """

    rules: tuple[PixelRule, ...] = ()
    clean_pixels_confirmed: bool = False
    reads_text: bool = False
    faces: Mapping[str, tuple[tuple[int, int, int, int], ...]] = field(default_factory=dict)
    lost_faces: Mapping[str, str] = field(default_factory=dict)

    def rule_for(self, picture: Picture) -> PixelRule | None:
        """The first rule that fits."""
        return next((rule for rule in (*self.rules, *built_in_rules()) if rule.fits(picture)), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of the pixels."""

    refusal: str = ""
    """Why the object may not leave; empty when it may."""
    reason: str = ""
    """Why it may although its kind is a risk; empty when it is none."""
    blanked: tuple[Rectangle, ...] = ()
    overlay_bits: int = 0
    """A mask of the bits in which overlays lie beside the samples."""
    reads_text: bool = False
    """Whether text is to be looked for in what stays."""
    is_clean: bool = False
    """Whether Burned In Annotation NO is true of what leaves."""


def judge(tree: Tree, sop_class_uid: str, transfer_syntax_uid: str, profile: Profile, policy: PixelPolicy) -> Verdict:
    """The verdict on the pixels of a data set; nothing is decoded."""
    if PIXEL_DATA not in tree.nodes:
        return Verdict()
    cleans = Option.PIXELS in profile
    risk = risk_of(tree, sop_class_uid)
    bits = overlay_bits(tree, transfer_syntax_uid)
    if not risk and not (cleans and policy.rules):
        return Verdict(overlay_bits=bits, is_clean=cleans)
    picture = Picture.of(tree, sop_class_uid, transfer_syntax_uid)
    rule = policy.rule_for(picture)
    if cleans and rule is not None and rule.blanked:
        verdict = Verdict(reason=f"the rule {rule.name!r}", blanked=rule.blanked, reads_text=policy.reads_text)
    elif not risk:
        verdict = Verdict()
    elif policy.clean_pixels_confirmed:
        return Verdict(reason=CONFIRMED, overlay_bits=bits, is_clean=True)
    elif rule is not None and rule.is_clean and tree.ascii(BURNED_IN).upper() != "YES":
        verdict = Verdict(reason=f"the rule {rule.name!r}")
    elif cleans:
        verdict = _by_looking(tree, picture, transfer_syntax_uid, policy, risk)
    else:
        verdict = Verdict(f"its pixels may show whose they are: {risk}; the option to clean pixels is off")
    return replace(verdict, overlay_bits=bits, is_clean=cleans)


def _by_looking(tree: Tree, picture: Picture, transfer_syntax_uid: str, policy: PixelPolicy, risk: str) -> Verdict:
    """Where no rule says anything: by what the object itself says, or by reading."""
    blanked, why_not = outside_regions(tree, picture, transfer_syntax_uid)
    if blanked:
        return Verdict(reason="its ultrasound regions", blanked=blanked, reads_text=policy.reads_text)
    if policy.reads_text:
        return Verdict(reason="text was looked for", reads_text=True)
    return Verdict(f"its pixels may show whose they are: {risk}; no pixel rule says where, and {why_not}")


def overlay_bits(tree: Tree, transfer_syntax_uid: str) -> int:
    """The bits of Pixel Data in which overlays lie (retired, PS3.5 section 8.1.2): a group without data of its own."""
    mask = 0
    is_big = transfer_syntax_uid == EXPLICIT_BIG
    for group in _OVERLAYS:
        position = tree.raw(group << 16 | _OVERLAY_BIT_POSITION)
        if position and group << 16 | _OVERLAY_DATA not in tree.nodes:
            mask |= 1 << (int.from_bytes(position[:2], "big" if is_big else "little") & 0x1F)
    samples = (1 << number(tree, _BITS_STORED, is_big)) - 1 if mask else 0
    return mask & ~samples
