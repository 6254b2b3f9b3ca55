"""Use cases, imported by module, called by every door: DICOM node, command line, web."""

__all__: list[str] = []
