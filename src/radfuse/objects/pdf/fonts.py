"""Which font can show which character; what none can show is written as its number, never as an empty box."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import as_file, files
from typing import Final, NamedTuple

_REPLACED: Final = {"\t": " ", "\u00ad": "", "\u200b": "", "\u200e": "", "\u200f": "", "\ufeff": ""}
"""Characters that are not drawn."""


class Run(NamedTuple):
    """A piece of text in one font."""

    font: str
    text: str


class _Face(NamedTuple):
    """A font that is registered with reportlab."""

    regular: str
    bold: str
    shows: Callable[[str], bool]
    """Whether it has a character."""


_KANA: Final = (range(0x3040, 0x3100), range(0xFF66, 0xFFA0))
_HANGUL: Final = (range(0x1100, 0x1200), range(0x3130, 0x3190), range(0xAC00, 0xD7A4))


@cache
def _embedded() -> tuple[_Face, ...]:
    from reportlab.pdfbase.pdfmetrics import registerFont  # type: ignore[import-untyped]
    from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]

    glyphs: dict[str, frozenset[int]] = {}
    for name in ("DejaVuSans", "DejaVuSans-Bold", "NotoSansThai"):
        with as_file(files("radfuse.objects.pdf") / "fonts" / f"{name}.ttf") as path:
            font = TTFont(f"Radfuse-{name}", str(path))
        registerFont(font)
        glyphs[name] = frozenset(font.face.charToGlyph)
    sans = glyphs["DejaVuSans"] & glyphs["DejaVuSans-Bold"]
    return (
        _Face("Radfuse-DejaVuSans", "Radfuse-DejaVuSans-Bold", lambda character: ord(character) in sans),
        _Face(
            "Radfuse-NotoSansThai", "Radfuse-NotoSansThai", lambda character: ord(character) in glyphs["NotoSansThai"]
        ),
    )


@cache
def _supplied() -> dict[str, _Face]:
    """CID fonts that a reader's program supplies (PDF 32000 section 9.7.5.2), by the encoding of what they have."""
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]
    from reportlab.pdfbase.pdfmetrics import registerFont

    faces = {}
    for codec, name in (("cp932", "HeiseiKakuGo-W5"), ("gb18030", "STSong-Light"), ("cp949", "HYGothic-Medium")):
        registerFont(UnicodeCIDFont(name))
        faces[codec] = _Face(name, name, _encodable("gbk" if codec == "gb18030" else codec))
    return faces


def _encodable(codec: str) -> Callable[[str], bool]:
    def shows(character: str) -> bool:
        try:
            return len(character.encode(codec)) > 1 or "\uff61" <= character <= "\uff9f"
        except UnicodeError:
            return False

    return shows


def _is_in(text: str, blocks: tuple[range, ...]) -> bool:
    return any(ord(character) in block for character in text for block in blocks)


def _eastern(text: str) -> tuple[_Face, ...]:
    """The CJK fonts in the order in which the text wants them: its kana or hangul tell its language."""
    faces = _supplied()
    if _is_in(text, _KANA):
        order = ("cp932", "gb18030", "cp949")
    elif _is_in(text, _HANGUL):
        order = ("cp949", "cp932", "gb18030")
    else:
        order = ("gb18030", "cp932", "cp949")
    return tuple(faces[codec] for codec in order)


def runs_of(text: str, *, bold: bool = False, unshown: set[str] | None = None) -> list[Run]:
    """``text`` in pieces of one font each. Characters that no font has become "[U+XXXX]", and go to ``unshown``."""
    if text.isascii() and text.isprintable():
        latin = _embedded()[0]
        return [Run(latin.bold if bold else latin.regular, text)] if text else []
    faces = (*_embedded(), *_eastern(text))
    runs: list[Run] = []
    for character in text:
        face, piece = _set_in(character, faces, unshown)
        name = face.bold if bold else face.regular
        if runs and runs[-1].font == name:
            runs[-1] = Run(name, runs[-1].text + piece)
        elif piece:
            runs.append(Run(name, piece))
    return runs


def _set_in(character: str, faces: tuple[_Face, ...], unshown: set[str] | None) -> tuple[_Face, str]:
    """The first font that has a character, and what is drawn."""
    piece = _REPLACED.get(character, character)
    if not piece:
        return faces[0], piece
    face = next((face for face in faces if face.shows(piece)), None) if piece.isprintable() else None
    if face is not None:
        return face, piece
    if unshown is not None:
        unshown.add(character)
    return faces[0], f"[U+{ord(character):04X}]"


def is_supplied(run: Run) -> bool:
    """Whether its font is not in the file, but the reader's program must have it."""
    return not run.font.startswith("Radfuse-")


def width_of(runs: list[Run], size_pt: float) -> float:
    """How wide pieces are together, in points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(sum(stringWidth(run.text, run.font, size_pt) for run in runs))
