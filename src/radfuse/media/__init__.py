"""Media: objects described, file-sets and their directories, application profiles, volumes and disc images."""

from radfuse.media import capacity, directory_reading, disc_images, file_ids
from radfuse.media.describing import Described, describe, describe_file
from radfuse.media.directory_reading import read_directory
from radfuse.media.directory_writing import Entry, write_directory
from radfuse.media.file_finding import find_below
from radfuse.media.profiles import PROFILES, Profile
from radfuse.media.rules import problems, target_syntax

__all__ = [
    "PROFILES",
    "Described",
    "Entry",
    "Profile",
    "capacity",
    "describe",
    "describe_file",
    "directory_reading",
    "disc_images",
    "file_ids",
    "find_below",
    "problems",
    "read_directory",
    "target_syntax",
    "write_directory",
]
