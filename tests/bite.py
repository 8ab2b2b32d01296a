"""Does each numbered check bite? Disable one after the other; at least one test of its name must turn red.

    python tests/bite.py [--only D4] [--json]

A check is every statement of `exchange/` that ends in a comment of its number, as `raise … # D4`. For each number the package is copied,
those statements become `pass`, and the tests marked `@pytest.mark.rule("D4")` run against the copy. First all of them run against a copy
in which nothing is disabled, and must be green. Exit status 1 if a check has no statement, no test, or none that turns red by running.
"""

import argparse
import ast
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = Path(__file__).with_name("bite_plugin.py")
RULES = (
    *(f"S{number}" for number in range(1, 5)),
    *(f"D{number}" for number in range(1, 12)),
    *(f"R{number}" for number in range(1, 5)),
    *(f"E{number}" for number in range(1, 13)),
    *("B1", "B2", "C1", "C3", "C4"),
)
SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of disabling one rule; with rule "" nothing was disabled."""

    rule: str
    statements: int = 0
    green: list[str] = field(default_factory=list)
    red: dict[str, str] = field(default_factory=dict)
    """Test to what it said."""
    fault: str = ""
    """Why this does not count as a check that bites; empty if it does."""


def disable(source: str, rule: str) -> tuple[str, int]:
    """The module with every statement that is tagged with `rule` replaced by `pass`, and how many these were. Line numbers stay."""
    tags = [token.start[0] for token in tokenize.generate_tokens(io.StringIO(source).readline) if _is_tag(token, rule)]
    lines = source.splitlines(keepends=True)
    tagged = {_statement_at(source, line) for line in tags}
    for first, last, column in tagged:
        lines[first - 1 : last] = [" " * column + "pass\n", *["\n"] * (last - first)]
    return "".join(lines), len(tagged)


def spoil(package: Path, rule: str) -> int:
    """Disable a rule in every module of a package; return how many statements that were."""
    statements = 0
    for module in sorted(package.rglob("*.py")):
        source = module.read_text(encoding="utf-8")
        spoilt, count = disable(source, rule)
        if count:
            module.write_text(spoilt, encoding="utf-8")
            statements += count
    return statements


def bite(root: Path, rule: str) -> Verdict:
    """Disable one rule in a copy of `root`/exchange and run its tests of `root`/tests; with rule "" disable nothing and run all."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        shutil.copytree(root / "exchange", place / "exchange", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(PLUGIN, place)
        statements = spoil(place / "exchange", rule) if rule else 0
        if rule and not statements:
            return Verdict(rule=rule, fault="no statement is tagged with it")
        files = list(_files_that_mark(root, rule))
        if not files:
            return Verdict(rule=rule, statements=statements, fault="no test is marked with it")
        report = _run(root, place, rule, files)
        return Verdict(rule=rule, statements=statements, green=report["green"], red=report["red"], fault=_fault(report, rule, place))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=RULES, metavar="RULE", help="only this rule; may be repeated")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    rules = options.only or RULES
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda rule: bite(ROOT, rule), ("", *rules)))
    told = json.dumps([asdict(verdict) for verdict in verdicts], indent=1) if options.json else "\n".join(map(_told, verdicts))
    sys.stdout.write(f"{told}\n")
    return int(any(verdict.fault for verdict in verdicts))


def _is_tag(token: tokenize.TokenInfo, rule: str) -> bool:
    trailing = bool(token.line[: token.start[1]].strip())
    return token.type == tokenize.COMMENT and trailing and token.string.lstrip("# ").rstrip() == rule


def _statement_at(source: str, line: int) -> tuple[int, int, int]:
    """First line, last line and column of the innermost statement that covers a line."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt) and node.lineno <= line <= _last(node)]
    innermost = min(statements, key=lambda node: _last(node) - node.lineno)
    return innermost.lineno, _last(innermost), innermost.col_offset


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _files_that_mark(root: Path, rule: str) -> Iterator[Path]:
    mark = f'mark.rule("{rule}")' if rule else 'mark.rule("'
    for path in sorted((root / "tests").rglob("test_*.py")):
        if mark in path.read_text(encoding="utf-8"):
            yield path


def _run(root: Path, place: Path, rule: str, files: Sequence[Path]) -> dict[str, Any]:
    report = place / "report.json"
    # -P and the empty pythonpath keep the package in the current directory out of the way of its copy.
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "bite_plugin",
        "-o",
        "pythonpath=",
        *map(str, files),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(place), str(root))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BITE_RULE": rule,
        "BITE_REPORT": str(report),
    }
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    if not report.exists():
        return {"green": [], "red": {}, "broken": [done.stderr.strip() or done.stdout.strip()], "imported": {}}
    loaded: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return loaded


def _fault(report: dict[str, Any], rule: str, place: Path) -> str:
    if report["broken"]:
        return f"tests did not come so far as to run: {', '.join(report['broken'])}"
    if not report["green"] and not report["red"]:
        return "no test is marked with it"
    if not report["imported"] or not all(file and Path(file).is_relative_to(place) for file in report["imported"].values()):
        return "the tests did not import the copy of the package"
    if rule and not report["red"]:
        return "it can be removed and no test of its name notices"
    if not rule and report["red"]:
        return f"red although nothing was disabled: {', '.join(report['red'])}"
    return ""


def _told(verdict: Verdict) -> str:
    tests = len(verdict.green) + len(verdict.red)
    if verdict.fault:
        return f"FAIL {verdict.rule or 'all'}: {verdict.fault}"
    if not verdict.rule:
        return f"all  {tests} tests are green while nothing is disabled"
    lines = [f"{verdict.rule:4} {verdict.statements} statements disabled: {len(verdict.red)} of {tests} tests turned red"]
    return "\n".join([*lines, *(f"       {name.rpartition('::')[2]}: {said}" for name, said in verdict.red.items())])


if __name__ == "__main__":
    sys.exit(main())
