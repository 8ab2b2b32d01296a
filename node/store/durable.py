"""What the file system keeps through a power cut: a file's new name only once the directory that lists it is synced."""

import os
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Return once the names in a directory are on disk (fsync(2)). Raises `OSError`."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
