"""Free text with only those words left that the standard itself uses: nobody's name is among them (PS3.15 E.3.5)."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

_WORD: Final = re.compile(r"[A-Za-z]\d{1,2}[A-Za-z]?(?![A-Za-z\d])|[A-Za-z]+|\d+(?:\.\d+)?|[^\w\s]|\s+", re.ASCII)
"""A letter with a number (T1, L5, B50f), a word, a number, a sign, blanks."""
_NOT_ASCII: Final = re.compile(r"[^\W\d_]*[^\x00-\x7f]+[^\W_]*")
"""A word of which a part is not ASCII: the rest of it would be a piece of a name."""
_NUMBERS: Final = re.compile(r"\d+(?:[-./: ]{1,2}\d+)+")
_SHORT_NUMBER: Final = re.compile(r"\d{1,3}(?:\.\d{1,3})?\Z")
_LETTER_AND_NUMBER: Final = re.compile(r"[A-Za-z]\d{1,2}[A-Za-z]?\Z")
_MOST_DIGITS: Final = 4
_KEPT_SIGNS: Final = frozenset("+-/.,:%()")


@lru_cache(maxsize=4096)
def clean_text(text: str) -> str:
    """``text`` without the words that are not in the vocabulary and without longer numbers; ASCII."""
    before, said = "", text.replace("_", " ")
    while said != before:
        # What is left when a word goes may be another number, or another word, than stood there.
        before, said = said, _cleaned_once(said)
    return said


def _cleaned_once(text: str) -> str:
    plain = _NUMBERS.sub(_few_digits, _NOT_ASCII.sub(" ", text))
    said = " ".join("".join(word if _may_stay(word) else " " for word in _WORD.findall(plain)).split())
    return said if any(character.isalnum() for character in said) else ""


def _few_digits(found: re.Match[str]) -> str:
    """Numbers in a row as they are, but not when they may be a date, a telephone number or an address."""
    text = found[0]
    return text if sum(map(str.isdigit, text)) <= _MOST_DIGITS and ":" not in text else " "


def _may_stay(word: str) -> bool:
    return word.isspace() or word in _KEPT_SIGNS or (word[0].isalnum() and is_known(word))


def is_known(word: str) -> bool:
    """Whether a word or a number may stay."""
    if word[0].isdigit():
        return _SHORT_NUMBER.match(word) is not None
    return word.lower() in vocabulary() or _LETTER_AND_NUMBER.match(word) is not None


@cache
def vocabulary() -> frozenset[str]:
    """Words, in lower case, that may stay.

    They are the words of the names of attributes (PS3.6) and of the meanings of codes (PS3.16), and
    the usual ones of protocols, less those that are also frequent given names or surnames, of any
    language, and less eponyms.
    """
    return frozenset((files("radfuse.deid") / "data" / "vocabulary.txt").read_text(encoding="ascii").split())
