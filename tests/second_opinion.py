"""Two verifiers asked about one file: the treaty's and the second one."""

from collections.abc import Callable, Mapping
from typing import Any

from exchange.contradiction import verify_contradiction
from exchange.errors import ExchangeError
from exchange.evidence import verify_evidence
from exchange.evidence_bundle import verify_bundle
from exchange.tlog.policy import Policy
from tests import second_verifier


def second(data: bytes, pins: Mapping[str, bytes], policy: Policy | None = None) -> str:
    """The code under which the second verifier refuses the file; empty if it holds."""
    try:
        second_verifier.verify(data, dict(pins), _simple(policy))
    except second_verifier.Bad as refused:
        return str(refused.args[0])
    return ""


def _simple(policy: Policy | None) -> second_verifier.Policy | None:
    if policy is None:
        return None
    if policy.quorum == "none":
        return second_verifier.Policy({}, 1)
    group = policy.groups.get(policy.quorum)
    names = group.members if group else (policy.quorum,)
    keys = {policy.witnesses[name].key.name: policy.witnesses[name].key.public_key for name in names}
    return second_verifier.Policy(keys, group.threshold if group else 1)


def _both(judge: Callable[..., Any]) -> Callable[..., Any]:
    def judged(data: bytes, pins: Mapping[str, bytes], *policy: Policy | None) -> Any:
        told, code, refusal, proved = second(data, pins, *policy), "", None, None
        try:
            proved = judge(data, pins, *policy)
        except ExchangeError as refused:
            refusal, code = refused, refused.code
        assert (told or "it holds") == (code or "it holds"), f"the first verifier: {code or 'it holds'} ({refusal})"
        if refusal is not None:
            raise refusal
        return proved

    return judged


BOTH: Mapping[str, Callable[..., Any]] = {judge.__name__: _both(judge) for judge in (verify_evidence, verify_bundle, verify_contradiction)}
