"""One search field for everything: each word is understood by its kind, and all must fit.

What a word is taken for is said, so that a page can show it; quoted text and words behind a key
such as ``name:`` are taken as what they are. Nothing that is typed is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from radfuse.archive.queries import (
    ArrivedIn,
    BornIn,
    HasModality,
    HasNameParts,
    HasSex,
    HasText,
    HasUid,
    StudyClause,
    StudyDateIn,
    StudyField,
    StudyTerm,
)
from radfuse.dicom.words import fold_groups
from radfuse.services.browse.days import Days, days_in_words, days_of
from radfuse.services.browse.modalities import codes_of, modalities_of

MAX_WORDS: Final = 16
"""What is typed beyond is not looked for."""

_TOKEN: Final = re.compile(r'(?:([^\s":]+):)?"([^"]*)"?|(\S+)')
_UID: Final = re.compile(r"[0-2](?:\.\d+){2,}\.?\Z", re.ASCII)
_PLAIN_DAY: Final = re.compile(r"\d{8}\Z", re.ASCII)
_SHORT: Final = 3
"""Shorter words are looked for at beginnings only: elsewhere nearly everything has them."""
_OLD_YEARS: Final = 20
"""A day so long ago is rather somebody's birth date."""
_SEXES: Final = {"female": "F", "male": "M"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase as it was typed, what it was taken for, and what it looks for (nothing yet: ())."""

    text: str
    meaning: str
    terms: tuple[StudyTerm, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    raw: str
    text: str
    key: str = ""
    is_quoted: bool = False


def understand(text: str, today: date) -> list[Word]:
    """The words of a search, in their order. ``today`` is the reader's."""
    tokens = _tokens(text)
    words: list[Word] = []
    place = 0
    while place < len(tokens) and len(words) < MAX_WORDS:
        found, length = _next(tokens[place:], today)
        words += found
        place += length
    return words[:MAX_WORDS]


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for match in _TOKEN.finditer(text.replace("\0", " ")):
        key, quoted, plain = match.groups()
        if quoted is not None:
            token = _Token(match[0], quoted.strip(), (key or "").lower(), is_quoted=True)
            if key and token.key not in _KEYS:
                token = _Token(match[0], f"{key}:{quoted}".strip(), is_quoted=True)
        else:
            name, colon, value = plain.partition(":")
            is_key = bool(colon) and name.lower() in _KEYS
            token = _Token(plain, value if is_key else plain, name.lower() if is_key else "")
        if token.text or token.key:
            found.append(token)
    return _joined(found)


def _joined(tokens: Sequence[_Token]) -> list[_Token]:
    """A key and the word behind it belong together: "name: smith"."""
    found: list[_Token] = []
    for token in tokens:
        before = found[-1] if found else None
        if before is not None and before.key and not before.text and not before.is_quoted and not token.key:
            found[-1] = _Token(f"{before.raw} {token.raw}", token.text, before.key, token.is_quoted)
        else:
            found.append(token)
    return found


def _next(tokens: Sequence[_Token], today: date) -> tuple[list[Word], int]:
    """The words that ``tokens`` begin with, and how many of the tokens they are."""
    token = tokens[0]
    if token.key:
        return [_behind_key(token, today)], 1
    if token.is_quoted:
        return [_anywhere(token.raw, token.text)], 1
    phrase = _phrase(tokens, today)
    if phrase is not None:
        return phrase
    if token.text.endswith(",") and token.text.strip(","):
        return _family_and_given(tokens)
    return [_single(token)], 1


# --- days ------------------------------------------------------------------------------------


def _phrase(tokens: Sequence[_Token], today: date) -> tuple[list[Word], int] | None:
    """ "last week", "arrived today", "born 1960"; None when it is none."""
    plain = []
    for token in tokens[:4]:
        if token.key or token.is_quoted:
            break
        plain.append(token.text)
    about = plain[0].lower()
    make = _ABOUT.get(about)
    found = days_in_words(plain[1:] if make else plain, today)
    if found is None:
        return None
    days, length = found
    length += make is not None
    text = " ".join(plain[:length])
    return [make(text, days) if make else _studied(text, days, today)], length


def _dicom(day: date) -> str:
    return day.strftime("%Y%m%d")


def _studied(text: str, days: Days, today: date) -> Word:
    clauses: list[StudyClause] = [StudyDateIn(_dicom(days.first), _dicom(days.last))]
    meaning = f"studied {days}"
    if days.is_one and days.first.year <= today.year - _OLD_YEARS:
        clauses.append(BornIn(_dicom(days.first), _dicom(days.last)))
        meaning = f"born or studied {days}"
    if _PLAIN_DAY.match(text):
        clauses += [HasText(of, text, at_start=True) for of in _NUMBERS]
        meaning += ", or the beginning of an ID or accession number"
    return Word(text, meaning, (StudyTerm(tuple(clauses)),))


def _born(text: str, days: Days) -> Word:
    return Word(text, f"born {days}", (StudyTerm((BornIn(_dicom(days.first), _dicom(days.last)),)),))


def _arrived(text: str, days: Days) -> Word:
    low_s = datetime.combine(days.first, time()).timestamp()
    high_s = datetime.combine(days.last + timedelta(1), time()).timestamp()
    return Word(text, f"arrived {days}", (StudyTerm((ArrivedIn(int(low_s), int(high_s)),)),))


_ABOUT: Final[dict[str, Callable[[str, Days], Word]]] = {
    "arrived": _arrived,
    "received": _arrived,
    "born": _born,
}


# --- single words ----------------------------------------------------------------------------


_NUMBERS: Final = (StudyField.PATIENT_ID, StudyField.ACCESSION_NUMBER)


def _single(token: _Token) -> Word:
    text = token.text
    modalities = modalities_of(text)
    if modalities:
        return _of_modalities(text, modalities)
    if text.lower() in _SEXES:
        return _of_sex(text, text)
    if _UID.match(text):
        clauses: tuple[StudyClause, ...] = (HasUid(text), *(HasText(of, text, at_start=True) for of in _NUMBERS))
        return Word(text, "UID of a study, series or instance", (StudyTerm(clauses),))
    if "^" in text.strip("^"):
        return _named(text, text.split("^"))
    return _anywhere(text, text)


def _of_modalities(text: str, wanted: Sequence[tuple[str, ...]]) -> Word:
    meaning = " and ".join(" or ".join(codes) for codes in wanted)
    return Word(text, f"modality {meaning}", tuple(StudyTerm((HasModality(codes),)) for codes in wanted))


def _of_sex(text: str, value: str) -> Word:
    code = _SEXES.get(value.lower(), value.upper()[:16])
    said = next((name for name, each in _SEXES.items() if each == code), code)
    return Word(text, f"sex {said}", (StudyTerm((HasSex((code,)),)),))


def _folded(text: str) -> str:
    return fold_groups(text.replace("=", " "))[0]


def _named(text: str, parts: Sequence[str]) -> Word:
    folded = tuple(_folded(part) for part in parts)
    while folded and not folded[-1]:
        folded = folded[:-1]
    if not folded:
        return _anywhere(text, text)
    return Word(text, "family name, given name", (StudyTerm((HasNameParts(folded),)),))


def _family_and_given(tokens: Sequence[_Token]) -> tuple[list[Word], int]:
    """ "smith, jane" """
    family = tokens[0]
    given = tokens[1] if len(tokens) > 1 and not tokens[1].key else None
    if given is None:
        return [_named(family.raw, [family.text.strip(",")])], 1
    return [_named(f"{family.raw} {given.raw}", [family.text.strip(","), given.text])], 2


def _anywhere(raw: str, text: str) -> Word:
    """A text in any of the fields that a list shows."""
    is_short = len(text) < _SHORT
    is_number = any(character.isdigit() for character in text)
    clauses: list[StudyClause] = [HasText(of, text, at_start=is_short or not is_number) for of in _NUMBERS]
    clauses.append(HasText(StudyField.DESCRIPTION, text, at_start=is_short))
    folded = _folded(text)
    if folded:
        clauses.append(HasText(StudyField.NAME, folded, at_start=is_short))
    return Word(raw, "name, ID, accession number or description", (StudyTerm(tuple(clauses)),))


# --- behind a key ----------------------------------------------------------------------------


def _behind_key(token: _Token, today: date) -> Word:
    if not token.text:
        return Word(token.raw, f"{_NAMES_OF_KEYS[token.key]} …", ())
    found = _KEYS[token.key](token, today)
    return found if found is not None else _anywhere(token.raw, token.text)


def _key_of(of: StudyField) -> Callable[[_Token, date], Word | None]:
    def read(token: _Token, _today: date) -> Word | None:
        is_name = of in (StudyField.NAME, StudyField.REFERRER)
        if of is StudyField.NAME and ("^" in token.text or "," in token.text):
            return _named(token.raw, re.split(r"[\^,]", token.text))
        text = _folded(token.text) if is_name else token.text
        if not text:
            return None
        return Word(token.raw, _NAMES_OF_KEYS[token.key], (StudyTerm((HasText(of, text),)),))

    return read


def _key_modality(token: _Token, _today: date) -> Word:
    return _of_modalities(token.raw, [codes_of(token.text)])


def _key_sex(token: _Token, _today: date) -> Word:
    return _of_sex(token.raw, token.text)


def _key_uid(token: _Token, _today: date) -> Word:
    return Word(token.raw, "UID of a study, series or instance", (StudyTerm((HasUid(token.text),)),))


def _days(token: _Token, today: date) -> Days | None:
    words = token.text.split()
    found = days_in_words(words, today) if words else None
    return found[0] if found is not None and found[1] == len(words) else None


def _key_date(token: _Token, today: date) -> Word | None:
    days = _days(token, today)
    if days is None:
        return None
    clause = StudyDateIn(_dicom(days.first), _dicom(days.last))
    return Word(token.raw, f"studied {days}", (StudyTerm((clause,)),))


def _key_born(token: _Token, today: date) -> Word | None:
    days = _days(token, today)
    return _born(token.raw, days) if days is not None else None


def _key_arrived(token: _Token, today: date) -> Word | None:
    days = _days(token, today)
    return _arrived(token.raw, days) if days is not None else None


def _key_from(token: _Token, today: date) -> Word | None:
    """From a day on, or from a referring physician."""
    days = days_of(f"{token.text}..") if _days(token, today) else None
    if days is None:
        return _key_of(StudyField.REFERRER)(token, today)
    return Word(token.raw, f"studied {days}", (StudyTerm((StudyDateIn(_dicom(days.first), _dicom(days.last)),)),))


_KEYS: Final[dict[str, Callable[[_Token, date], Word | None]]] = {
    "name": _key_of(StudyField.NAME),
    "id": _key_of(StudyField.PATIENT_ID),
    "acc": _key_of(StudyField.ACCESSION_NUMBER),
    "desc": _key_of(StudyField.DESCRIPTION),
    "ref": _key_of(StudyField.REFERRER),
    "from": _key_from,
    "mod": _key_modality,
    "sex": _key_sex,
    "uid": _key_uid,
    "date": _key_date,
    "born": _key_born,
    "arrived": _key_arrived,
}
_NAMES_OF_KEYS: Final = {
    "name": "name",
    "id": "patient ID",
    "acc": "accession number",
    "desc": "description",
    "ref": "referring physician",
    "from": "referring physician",
    "mod": "modality",
    "sex": "sex",
    "uid": "UID",
    "date": "study date",
    "born": "birth date",
    "arrived": "arrival",
}
