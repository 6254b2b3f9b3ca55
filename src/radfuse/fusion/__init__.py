"""What a viewer shows of volumes: reslices, blends, projections; it knows no DICOM object."""

__all__: list[str] = []
