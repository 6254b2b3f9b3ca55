"""The HTTP door: DICOMweb (PS3.18), the API and the console."""

from radfuse.web.application import Site, create_app
from radfuse.web.server import WebServer
from radfuse.web.surroundings import WebSurroundings

__all__ = ["Site", "WebServer", "WebSurroundings", "create_app"]
