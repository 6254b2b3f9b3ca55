"""Key Object Selection documents (PS3.3 section A.35.4, PS3.16 TID 2010), built and read."""

from radfuse.objects.ko.build import KeyObjects, build_key_objects
from radfuse.objects.ko.read import SelectedObjects, read_key_objects

__all__ = ["KeyObjects", "SelectedObjects", "build_key_objects", "read_key_objects"]
