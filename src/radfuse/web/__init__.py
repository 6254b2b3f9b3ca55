"""The HTTP door: DICOMweb (PS3.18), the API and the console."""

from radfuse.web.api.desk import ApiDesk
from radfuse.web.application import Site, create_app
from radfuse.web.console import STATIC
from radfuse.web.guard import Entrance
from radfuse.web.server import WebServer
from radfuse.web.surroundings import WebSurroundings

__all__ = ["STATIC", "ApiDesk", "Entrance", "Site", "WebServer", "WebSurroundings", "create_app"]
