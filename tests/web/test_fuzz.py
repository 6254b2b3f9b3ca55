"""DICOMweb asked for nonsense, in paths, queries and headers: refused, and never failed."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.generate import CT_IMAGE, STUDY_UID
from tests.support.repeats import repeats
from tests.web.conftest import RunningWeb

pytestmark = pytest.mark.slow

_SETTINGS: Final = settings(
    max_examples=repeats(60, 300),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_SERIES, _INSTANCE, _MULTIFRAME = "2.25.7100.1", "2.25.7100.1.1", "2.25.7100.7.1"

_NONSENSE: Final = st.one_of(
    st.text(max_size=12),
    st.binary(max_size=12),
    st.sampled_from(
        ("..", "%2e%2e", "0", "-1", "1.2.3\0", "1" * 65, "*", "null", "999999999999999999999", "'; --", "é")
    ),
)


def _segment(*known: str) -> st.SearchStrategy[str]:
    nonsense = _NONSENSE.map(lambda value: quote(value, safe=""))
    return st.one_of(st.sampled_from(known), st.sampled_from(known), nonsense)


_RESOURCES: Final = _segment(
    "metadata", "rendered", "thumbnail", "bulkdata/7FE00010", "frames/1", "frames/1,2/rendered"
)
_PATHS: Final = st.builds(
    lambda parts, resource: "/" + "/".join((*(part for pair in parts for part in pair), *resource)),
    st.tuples(
        st.tuples(st.just("studies"), _segment(STUDY_UID)),
        st.tuples(st.just("series"), _segment(_SERIES, "2.25.7100.7")),
        st.tuples(st.just("instances"), _segment(_INSTANCE, _MULTIFRAME)),
    ).flatmap(lambda parts: st.integers(0, 3).map(lambda count: parts[:count])),
    st.lists(_RESOURCES, max_size=2),
)
_KEYS: Final = st.one_of(
    st.sampled_from(
        (
            "PatientName",
            "StudyDate",
            "00100010",
            "0040A730.00080100",
            "RequestAttributesSequence.ScheduledProcedureStepID",
            "ModalitiesInStudy",
            "StudyInstanceUID",
            "includefield",
            "limit",
            "offset",
            "fuzzymatching",
            "window",
            "viewport",
            "quality",
            "annotation",
            "accept",
        )
    ),
    st.text(max_size=10),
)
_VALUES: Final = st.one_of(
    st.sampled_from(("all", "true", "*", "?", "20200101-", "-", "1,2", "40,400,linear", "100,100", "\\", STUDY_UID)),
    _NONSENSE,
)
_QUERIES: Final = st.lists(st.tuples(_KEYS, _VALUES), max_size=4).map(urlencode)
_HEADER_BYTES: Final = st.binary(max_size=20).map(
    lambda value: bytes(byte for byte in value if byte >= 0x20 and byte != 0x7F).strip()
)
_HEADERS: Final = st.dictionaries(
    st.sampled_from(("Accept", "Range", "If-None-Match", "If-Range", "Accept-Charset", "X-Request-ID", "Origin")),
    st.one_of(
        _HEADER_BYTES,
        st.sampled_from(
            (
                b"*/*",
                b"image/jpeg",
                b'multipart/related; type="application/octet-stream"; transfer-syntax=*',
                b'multipart/related; type="image/jp2"; transfer-syntax=1.2.840.10008.1.2.4.90',
                b"application/dicom+json;q=0.5,text/html;q=x",
                b"bytes=0-0,5-,-3",
                b"bytes=99999999999999999999-",
                b'W/"a","b"',
                b",;=",
            )
        ),
    ),
    max_size=3,
)


@_SETTINGS
@given(st.sampled_from(("/studies", "/series", "/instances", f"/studies/{STUDY_UID}/series")), _QUERIES, _HEADERS)
@example("/studies", "limit=-1&offset=999999999999999999999", {})
@example("/instances", "includefield=all&limit=0", {"Accept": b"application/dicom+xml"})
def test_no_search_fails(filled: RunningWeb, path: str, query: str, headers: dict[str, bytes]) -> None:
    _ask(filled, "GET", path, query, headers)


@_SETTINGS
@given(_PATHS, _QUERIES, _HEADERS)
@example(f"/studies/{STUDY_UID}/series/{_SERIES}/instances/{_INSTANCE}/rendered", "viewport=0,0&window=1,0,LINEAR", {})
@example(f"/studies/{STUDY_UID}/series/{_SERIES}/instances/{_INSTANCE}/frames/0", "", {})
def test_no_retrieval_fails(filled: RunningWeb, path: str, query: str, headers: dict[str, bytes]) -> None:
    _ask(filled, "GET", path, query, headers)


@_SETTINGS
@given(
    st.one_of(
        _HEADER_BYTES,
        st.sampled_from(
            (
                b'multipart/related; type="application/dicom"; boundary=b',
                b'multipart/related; type="application/dicom+json"; boundary=b',
                b"multipart/related; boundary=",
                b"application/dicom",
                b"application/dicom+json",
            )
        ),
    ),
    st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda made: b"--b\r\n\r\n" + made + b"\r\n--b--")),
    st.booleans(),
)
@example(b"application/dicom", b"\0" * 128 + b"DICM" + CT_IMAGE.encode(), False)
def test_nothing_that_is_stored_fails(filled: RunningWeb, content_type: bytes, body: bytes, names_study: bool) -> None:
    path = f"/studies/{STUDY_UID}" if names_study else "/studies"
    _ask(filled, "POST", path, "", {"Content-Type": content_type}, body)


def _ask(
    web: RunningWeb, method: str, path: str, query: str, headers: dict[str, bytes], body: bytes | None = None
) -> None:
    url = f"{web.dicomweb}{path}" + (f"?{query}" if query else "")
    raw = {name.encode(): value for name, value in headers.items()}
    answer = web.http.request(method, url, headers=raw, content=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and answer.headers.get("content-type", "").startswith("application/problem"):
        assert answer.json()["detail"]
