"""Arabic letters joined, and right-to-left text put into the order in which it is drawn.

A small part of the Unicode bidirectional algorithm (UAX 9) that is enough for names and short sentences
in lines that run from left to right; reportlab draws characters in the order it is given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

_MIRRORED: Final = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_PRESENTATION_FORMS: Final = (range(0xFB50, 0xFC00), range(0xFE80, 0xFEFD))
_LAM: Final = "\u0644"
_NUMBERS = re.compile(r"\d+(?:[.,:/\-]\d+)*")


@cache
def _forms() -> dict[str, dict[str, str]]:
    """Letter (or lam with alef) -> the name of a form -> the character that has it, from Unicode's own table."""
    forms: dict[str, dict[str, str]] = {}
    for block in _PRESENTATION_FORMS:
        for number in block:
            kind, _, letters = unicodedata.decomposition(chr(number)).partition(" ")
            if kind in ("<isolated>", "<final>", "<initial>", "<medial>"):
                base = "".join(chr(int(code, 16)) for code in letters.split())
                forms.setdefault(base, {})[kind.strip("<>")] = chr(number)
    return forms


def shaped(text: str) -> str:
    """``text`` with each Arabic letter in the form that its neighbours ask for."""
    if not any("\u0600" <= character <= "\u06ff" for character in text):
        return text
    letters = list(_ligatures(text))
    joined = [letter for letter in letters if unicodedata.category(letter[0]) != "Mn"]
    out, place = [], 0
    for letter in letters:
        if unicodedata.category(letter[0]) == "Mn":
            out.append(letter)
            continue
        before = joined[place - 1] if place else ""
        after = joined[place + 1] if place + 1 < len(joined) else ""
        out.append(_form_of(letter, before, after))
        place += 1
    return "".join(out)


def _ligatures(text: str) -> Iterator[str]:
    """Characters, lam and alef together."""
    place = 0
    while place < len(text):
        pair = text[place : place + 2]
        step = 2 if pair[0] == _LAM and len(pair) == 2 and pair in _forms() else 1
        yield text[place : place + step]
        place += step


def _form_of(letter: str, before: str, after: str) -> str:
    forms = _forms().get(letter)
    if forms is None:
        return letter
    joins_before = "final" in forms and "initial" in _forms().get(before, {})
    joins_after = "initial" in forms and "final" in _forms().get(after, {})
    if joins_before and joins_after and "medial" in forms:
        return forms["medial"]
    if joins_before:
        return forms["final"]
    return forms["initial"] if joins_after else forms.get("isolated", letter)


def visual(text: str) -> str:
    """``text`` in the order in which it is drawn from left to right."""
    text = shaped(text)
    out: list[str] = []
    place = 0
    for start, end in _right_to_left(text):
        out += (text[place:start], _reversed(text[start:end]))
        place = end
    return "".join((*out, text[place:]))


def _right_to_left(text: str) -> Iterator[tuple[int, int]]:
    """Where stretches run from right to left: from a letter that does to the last one before a letter that does not."""
    start = end = -1
    for place, character in enumerate(text):
        kind = unicodedata.bidirectional(character)
        if kind in ("R", "AL") or (kind == "NSM" and end == place):
            start, end = (place if start < 0 else start), place + 1
        elif end == place and _closes(text[start:end], character):
            end = place + 1
        elif kind == "L" and start >= 0:
            yield start, end
            start = end = -1
    if start >= 0:
        yield start, end


def _closes(stretch: str, character: str) -> bool:
    """Whether a bracket was opened in a stretch, and belongs to it."""
    opener = {")": "(", "]": "[", "}": "{", "»": "«"}.get(character, "")
    return bool(opener) and stretch.count(opener) > stretch.count(character)


def _reversed(text: str) -> str:
    """A stretch turned round; numbers keep their order, marks stay behind their letters, brackets are mirrored."""
    clusters: list[str] = []
    place = 0
    while place < len(text):
        number = _NUMBERS.match(text, place)
        if number:
            clusters.append(number[0])
            place = number.end()
            continue
        character = text[place]
        if clusters and unicodedata.category(character) == "Mn":
            clusters[-1] += character
        else:
            clusters.append(character.translate(_MIRRORED))
        place += 1
    return "".join(reversed(clusters))
