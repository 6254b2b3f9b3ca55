"""Regions of volumes: drawn, combined, measured."""

__all__: list[str] = []
