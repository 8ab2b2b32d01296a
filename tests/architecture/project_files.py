"""The files that belong to the project: all that `.gitignore` does not exclude. It reads no git, so it works in an archive too."""

from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = ("buf/", "exchange/v1/")


def project_files(*suffixes: str) -> list[Path]:
    """The project's files below ROOT, relative to it, by name; only those with one of the suffixes if any are given."""
    ignored = [line.strip().rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    patterns = [".git", *filter(None, ignored)]
    found, folders = [], [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            here = path.relative_to(ROOT)
            if any(fnmatch(path.name, pattern) or fnmatch(str(here), pattern) for pattern in patterns):
                continue
            if path.is_dir():
                folders.append(path)
            elif not suffixes or path.suffix in suffixes:
                found.append(here)
    return sorted(found)


def own_code(*suffixes: str) -> list[Path]:
    """The files that people wrote: `project_files` without what the generator writes."""
    return [path for path in project_files(*suffixes) if not str(path).startswith(GENERATED)]
