"""An archive of its own for every test."""

from tests.services.conftest import archive

__all__ = ["archive"]
