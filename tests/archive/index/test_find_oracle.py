"""Search on the index gives what a plain walk over the same objects gives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radfuse.archive.index.model import InformationModel
from radfuse.core.levels import Level
from tests.archive.index.small_archive import AnInstance, APatient, ASeries, AStudy, index_of, query, values_found

STUDY_UID, SERIES_UID = 0x0020000D, 0x0020000E

LETTERS = st.text(alphabet="aAbß%_/'é", max_size=4)
GROUPS = st.text(alphabet="aAbéÉ山^", max_size=5)
NAMES = st.lists(GROUPS, min_size=1, max_size=3).map("=".join)
DATES = st.sampled_from(["", "20200101", "20200115", "20201231", "19991231"])
TIMES = st.sampled_from(["", "09", "0930", "093015", "093015.5", "2359"])
MODALITIES = st.sampled_from(["CT", "MR", "PT", ""])
NUMBERS = st.sampled_from(["", "1", "01", "2", "10"])

PATTERNS = st.text(alphabet="aAb%_/é*?", max_size=6)
NAME_PATTERNS = st.lists(st.text(alphabet="aAbÉ山^*?", max_size=6), min_size=1, max_size=2).map("=".join)
DATE_RANGES = st.tuples(DATES, DATES).map("-".join).filter(lambda text: text != "-") | DATES
TIME_RANGES = st.tuples(TIMES, TIMES).map("-".join).filter(lambda text: text != "-") | TIMES


@st.composite
def archives(draw: st.DrawFn) -> list[APatient]:
    """Up to three patients of up to two studies of up to two series, all UIDs different."""
    people = []
    for p in range(draw(st.integers(1, 3))):
        studies = []
        for s in range(draw(st.integers(1, 2))):
            series = tuple(
                ASeries(
                    f"1.{p}.{s}.{e}",
                    tuple(AnInstance(f"1.{p}.{s}.{e}.{i}") for i in range(draw(st.integers(1, 2)))),
                    draw(MODALITIES),
                    draw(NUMBERS),
                )
                for e in range(draw(st.integers(1, 2)))
            )
            studies.append(AStudy(f"1.{p}.{s}", series, draw(DATES), draw(TIMES), description=draw(LETTERS)))
        people.append(APatient(draw(LETTERS), draw(NAMES), tuple(studies)))
    return people


# --- the plain walk: matching once more, by other means -----------------------------------------


def glob(pattern: str, text: str) -> bool:
    regex = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(regex, text, re.DOTALL) is not None


def text_fits(pattern: str, text: str) -> bool:
    return not pattern.strip("*") or glob(pattern, text)


def folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().rstrip("^")


def group_fits(pattern: str, group: str) -> bool:
    """A trailing "^*" may stand for components that are not written."""
    patterns = [folded(pattern)]
    while patterns[-1].endswith("^*"):
        patterns.append(folded(patterns[-1][:-2]))
    if any(each.strip("*") == "" for each in patterns if each) or not patterns[0]:
        return True
    return any(glob(each, group) for each in patterns if each)


def name_fits(pattern: str, name: str) -> bool:
    groups = ([folded(group) for group in name.split("=")] + ["", ""])[:3]
    if "=" in pattern:
        return all(group_fits(each, group) for each, group in zip(pattern.split("="), groups, strict=False))
    return any(group_fits(pattern, group) for group in groups)


def span(text: str, lowest: str, highest: str) -> tuple[str, str]:
    low = text + lowest[len(text) :]
    return low, low if "." in text else text + highest[len(text) :]


def range_fits(pattern: str, text: str, lowest: str, highest: str) -> bool:
    if not pattern:
        return True
    first, _, last = pattern.partition("-") if "-" in pattern else (pattern, "-", pattern)
    low = span(first, lowest, highest)[0]
    high = span(last, lowest, highest)[1]
    return bool(text) and low <= span(text, lowest, highest)[0] <= high


def date_fits(pattern: str, text: str) -> bool:
    return range_fits(pattern, text, "00000000", "99999999")


def time_fits(pattern: str, text: str) -> bool:
    return range_fits(pattern, text, "000000.000000", "995959.999999")


STUDY_KEYS: dict[int, tuple[st.SearchStrategy[str], Callable[[str, APatient, AStudy], bool]]] = {
    0x00100010: (NAME_PATTERNS, lambda wanted, person, _study: name_fits(wanted, person.name)),
    0x00100020: (PATTERNS, lambda wanted, person, _study: text_fits(wanted, person.patient_id)),
    0x00080020: (DATE_RANGES, lambda wanted, _person, study: date_fits(wanted, study.date)),
    0x00080030: (TIME_RANGES, lambda wanted, _person, study: time_fits(wanted, study.time)),
    0x00081030: (PATTERNS, lambda wanted, _person, study: text_fits(wanted, study.description)),
    0x00080061: (
        st.sampled_from(["", "CT", "MR\\PT", "?T", "*"]),
        lambda wanted, _person, study: (
            not wanted.strip("*")
            or any(glob(each, one.modality) for each in wanted.split("\\") for one in study.series)
        ),
    ),
    0x00201206: (
        st.sampled_from(["", "1", "2", "x"]),
        lambda wanted, _person, study: not wanted or wanted == str(len(study.series)),
    ),
    0x00201208: (
        st.sampled_from(["", "2", "03"]),
        lambda wanted, _person, study: (
            not wanted or int(wanted) == sum(len(series.instances) for series in study.series)
        ),
    ),
    0x00201200: (
        st.sampled_from(["", "1"]),
        lambda wanted, person, _study: not wanted or int(wanted) == len(person.studies),
    ),
}
SERIES_KEYS = {0x00080060: MODALITIES, 0x00200011: NUMBERS}
QUERIES = st.fixed_dictionaries({}, optional={tag: texts for tag, (texts, _fits) in STUDY_KEYS.items()})
FEW_KEYS = st.dictionaries(st.sampled_from(list(STUDY_KEYS)), st.none(), max_size=3).flatmap(
    lambda tags: st.fixed_dictionaries({tag: STUDY_KEYS[tag][0] for tag in tags})
)


def fits(keys: dict[int, str], person: APatient, study: AStudy) -> bool:
    return all(STUDY_KEYS[tag][1](wanted, person, study) for tag, wanted in keys.items())


def plain_search(people: list[APatient], keys: dict[int, str]) -> list[tuple[APatient, AStudy]]:
    return [(person, study) for person in people for study in person.studies if fits(keys, person, study)]


RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(people=archives(), queries=st.lists(FEW_KEYS | QUERIES, min_size=1, max_size=6))
def test_studies_are_found_as_by_a_plain_walk(people: list[APatient], queries: list[dict[int, str]]) -> None:
    with index_of(people) as index:
        for keys in queries:
            expected = sorted(study.uid for _person, study in plain_search(people, keys))
            assert values_found(index, query(Level.STUDY, keys), STUDY_UID) == expected


@RELAXED
@given(
    people=archives(),
    keys=FEW_KEYS,
    series_keys=st.fixed_dictionaries({}, optional=SERIES_KEYS),
)
def test_series_are_found_as_by_a_plain_walk(
    people: list[APatient], keys: dict[int, str], series_keys: dict[int, str]
) -> None:
    modality, number = series_keys.get(0x00080060, ""), series_keys.get(0x00200011, "")
    expected = sorted(
        series.uid
        for _person, study in plain_search(people, keys)
        for series in study.series
        if modality in ("", series.modality)
        and (not number or (series.number != "" and int(series.number) == int(number)))
    )
    with index_of(people) as index:
        assert values_found(index, query(Level.SERIES, {**keys, **series_keys}), SERIES_UID) == expected


@RELAXED
@given(people=archives(), pattern=NAME_PATTERNS)
def test_patients_are_found_as_by_a_plain_walk(people: list[APatient], pattern: str) -> None:
    expected = sorted(person.name for person in people if name_fits(pattern, person.name))
    with index_of(people) as index:
        wanted = query(Level.PATIENT, {0x00100010: pattern}, InformationModel.PATIENT_ROOT)
        assert values_found(index, wanted, 0x00100010) == expected
