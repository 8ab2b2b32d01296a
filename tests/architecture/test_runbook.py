"""docs/operations.md says of every alarm what it means and what to do."""

import ast
import re

from exchange.v1.receipt_pb2 import ExceptionCode
from tests.architecture.project_files import ROOT, own_code

RAISING = {"raise_alarm", "stop_log", "alarm"}
CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
NO_ALARM = {"UNSPECIFIED", "WITHHELD"}
REPORTED = ("exchange/directory.py", "exchange/receipt.py", "node/operations/sign.py")


def alarms_of(source: str) -> set[str]:
    """The codes that a module gives to alarms by name; those of errors that it passes on are found elsewhere."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and ast.unparse(node.func) in RAISING]
    texts = [node.value for call in calls for node in ast.walk(call) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}


def explained() -> set[str]:
    """The codes in the first column of the runbook's table of alarms."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8").partition("\n## Alarms\n")[2].partition("\n## ")[0]
    return {code for line in page.splitlines() if line.startswith("|") for code in re.findall(r"[A-Z_]{5,}", line.split("|")[1])}


def test_every_alarm_that_the_node_names_is_explained() -> None:
    sources = [(ROOT / path).read_text(encoding="utf-8") for path in own_code(".py") if path.parts[0] == "node"]
    named = {code for source in sources for code in alarms_of(source)}
    assert named
    assert sorted(named - explained()) == []


def test_every_exception_of_a_receipt_is_explained() -> None:
    codes = {name.removeprefix("EXCEPTION_CODE_") for name in ExceptionCode.DESCRIPTOR.values_by_name}
    assert sorted(codes - NO_ALARM - explained()) == []


def test_every_refusal_of_a_descriptor_a_receipt_or_a_high_water_record_is_explained() -> None:
    """Those alarms bear the code of the error that they report."""
    sources = [(ROOT / path).read_text(encoding="utf-8") for path in REPORTED]
    codes = {code for source in sources for code in re.findall(r'"((?:DESCRIPTOR|RECEIPT|HIGH_WATER)_[A-Z_]+)"', source)}
    assert codes
    assert sorted(codes - explained()) == []


def test_an_alarm_without_explanation_is_found() -> None:
    assert alarms_of('raise_alarm(tx, now, "NEW_ALARM", partner=p)\nstop_log(p, "OTHER_ONE")\nx("NOT_THIS")') == {"NEW_ALARM", "OTHER_ONE"}
