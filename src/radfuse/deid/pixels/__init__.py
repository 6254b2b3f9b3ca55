"""Pixels that show who the patient is: judged, blanked, or refused."""

from radfuse.deid.pixels.blanking import Blanked
from radfuse.deid.pixels.judging import PixelPolicy, Verdict, judge
from radfuse.deid.pixels.picture import Picture, risk_of
from radfuse.deid.pixels.rules import PixelRule, load_rules
from radfuse.deid.pixels.step import PixelStep

__all__ = ["Blanked", "Picture", "PixelPolicy", "PixelRule", "PixelStep", "Verdict", "judge", "load_rules", "risk_of"]
