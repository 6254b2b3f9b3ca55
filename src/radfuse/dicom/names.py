"""Person names: component groups, and the folding under which two spellings match (PS3.5 section 6.2.1)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

GROUPS: Final = 3
"""Alphabetic, ideographic, phonetic."""

_DOTTED_I = re.compile("i\u0307+")


def fold(text: str) -> str:
    """``text`` without differences of case and of Unicode composition, for matching without regard to case.

    The four letters i of Turkish (dotted, dotless, small, capital) all fold to a plain "i": which
    pairs belong together depends on the language, which no name states.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", text).casefold().replace("\u0131", "i")
    return unicodedata.normalize("NFC", _DOTTED_I.sub("i", folded))


def _normalised_group(group: str) -> str:
    if " " not in group and group[-1:] != "^":
        return group
    return "^".join(component.strip(" ") for component in group.split("^")).rstrip("^ ")


def normalised(value: str) -> str:
    """``value`` without padding spaces and without empty trailing components and groups."""
    return "=".join(_normalised_group(group) for group in value.strip(" \0").split("=")).rstrip("=")


def split_groups(value: str) -> tuple[str, str, str]:
    """The alphabetic, ideographic and phonetic group of a name, normalised, "" where absent."""
    groups = [_normalised_group(group) for group in value.strip(" \0").split("=", GROUPS)]
    groups += [""] * (GROUPS - len(groups))
    return groups[0], groups[1], groups[2]


def fold_groups(value: str) -> tuple[str, str, str]:
    """The three groups of a name, normalised and folded."""
    alphabetic, ideographic, phonetic = split_groups(value)
    return fold(alphabetic), fold(ideographic), fold(phonetic)
