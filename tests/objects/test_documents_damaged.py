"""Documents with wrong bytes: read with findings or refused, and never anything else."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from radfuse.core.errors import UnreadableObject
from radfuse.objects.common import encode, reference_to
from radfuse.objects.ko import KeyObjects, build_key_objects, read_key_objects
from radfuse.objects.pdf import Document, PaperReport, build_encapsulated_pdf, read_encapsulated_pdf, render_pdf
from radfuse.objects.pr import HOT_BLUE, Blend, Naming, View, Window, build_blending, read_presentation
from radfuse.objects.sr import html_of, json_of, measurements_of, read_report, text_of
from tests.objects.documents import GROUPS, IMAGES, PROVENANCE, SERIES, image, making, report_of


def _key_objects() -> bytes:
    selection = KeyObjects(tuple(map(reference_to, IMAGES)), description="x")
    return encode(build_key_objects(selection, IMAGES[:1], provenance=PROVENANCE, series=SERIES, making=making())[0])


def _blend() -> bytes:
    blend = Blend(View((image(1, "CT"),), Window(40, 400)), View(IMAGES, Window(5, 10)), HOT_BLUE, 0.5)
    return encode(build_blending(blend, Naming("FUSION"), provenance=PROVENANCE, series=SERIES, making=making()))


def _pdf() -> bytes:
    document = Document(render_pdf(PaperReport("t", "p")).content, "Lesions")
    return encode(build_encapsulated_pdf(document, image(), provenance=PROVENANCE, series=SERIES, making=making()))


def _read_and_show(content: bytes) -> None:
    report = read_report(content)
    assert html_of(report)
    assert json_of(report)
    list(text_of(report))
    measurements_of(report)


@pytest.mark.parametrize(
    ("made", "read"),
    [
        (lambda: encode(report_of(*GROUPS)), _read_and_show),
        (_key_objects, read_key_objects),
        (_blend, read_presentation),
        (_pdf, read_encapsulated_pdf),
    ],
    ids=["report", "key objects", "blend", "PDF"],
)
def test_wrong_bytes_are_read_or_refused(made: Callable[[], bytes], read: Callable[[bytes], object]) -> None:
    content, chance, refused = made(), random.Random(5), 0
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 3, 10))):
            damaged[chance.randrange(400, len(damaged))] = chance.randrange(256)
        try:
            read(bytes(damaged))
        except UnreadableObject:
            refused += 1
    assert 0 < refused < 150 or read is read_encapsulated_pdf
