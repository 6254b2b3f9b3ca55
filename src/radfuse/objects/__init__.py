"""DICOM objects that a reader leaves behind, built and read."""

__all__: list[str] = []
