"""Reports on paper: laid out as PDF, put into DICOM (PS3.3 section A.45.1), and read from it."""

from radfuse.objects.pdf.build import DIAGNOSTIC_REPORT, QUANTITATIVE_REPORT, Document, build_encapsulated_pdf
from radfuse.objects.pdf.read import ReadPdf, read_encapsulated_pdf
from radfuse.objects.pdf.render import Pdf, render_pdf
from radfuse.objects.pdf.report import Block, Heading, PaperReport, Paragraph, Picture, Pictures, Table

__all__ = [
    "DIAGNOSTIC_REPORT",
    "QUANTITATIVE_REPORT",
    "Block",
    "Document",
    "Heading",
    "PaperReport",
    "Paragraph",
    "Pdf",
    "Picture",
    "Pictures",
    "ReadPdf",
    "Table",
    "build_encapsulated_pdf",
    "read_encapsulated_pdf",
    "render_pdf",
]
