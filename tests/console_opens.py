"""Who each page of the console opens to: the matrix that the tests hold every route against."""

from tests.rig import ROLES

DESK = {"liaison", "second", "police", "border", "ngo", "both"}
GIVEN = {"liaison", "second", "police", "border", "both"}
"""Who works for an agency that was told; the children's organisation was not."""
Opens = dict[tuple[str, str], tuple[set[str], int]]

_READERS = {"liaison", "second", "both", "auditor", "administrator"}
_ADMIN: Opens = {
    ("GET", "/admin"): ({"administrator"}, 200),
    ("GET", "/admin/doctor"): ({"administrator"}, 200),
    ("GET", "/admin/keys"): ({"administrator"}, 200),
    ("GET", "/admin/outbox"): ({"administrator"}, 200),
    ("GET", "/admin/retention"): ({"administrator"}, 200),
    ("POST", "/admin/retention"): ({"administrator"}, 303),
    ("GET", "/admin/partners"): (_READERS, 200),
    ("GET", "/admin/partners/new"): ({"administrator"}, 200),
    ("POST", "/admin/partners/new"): ({"administrator"}, 422),
    ("POST", "/admin/partners/compare"): ({"administrator"}, 400),
    ("GET", "/admin/partners/{partner}"): (_READERS, 200),
    ("POST", "/admin/partners/{partner}"): ({"administrator"}, 400),
    ("GET", "/admin/agreements"): (_READERS, 200),
    ("GET", "/admin/agreements/new"): (_READERS - {"auditor"}, 200),
    ("POST", "/admin/agreements/new"): (_READERS - {"auditor"}, 422),
    ("GET", "/admin/agreements/new/check"): (_READERS - {"auditor"}, 303),
    ("POST", "/admin/agreements/new/check"): (_READERS - {"auditor"}, 303),
    ("GET", "/admin/agreements/new/check/{type}"): (_READERS - {"auditor"}, 303),
    ("GET", "/admin/agreements/{agreement}"): (_READERS, 200),
    ("POST", "/admin/agreements/{agreement}"): ({"administrator"}, 422),
    ("GET", "/admin/agreements/{agreement}/{type}"): (_READERS, 200),
    ("GET", "/admin/officers"): ({"administrator"}, 200),
    ("GET", "/admin/officers/{officer}"): ({"administrator"}, 200),
    ("POST", "/admin/officers/{officer}/enrol"): ({"administrator"}, 200),
    ("POST", "/admin/officers/{officer}/forget"): ({"administrator"}, 422),
}
"""An empty form is refused with words, 422, only to whom it is open."""
_ENTRANCE: Opens = {
    ("GET", "/sign-in"): (set(ROLES), 200),
    ("POST", "/sign-in"): (set(), 0),
    ("POST", "/sign-in/code"): (set(), 0),
    # Only a page of this site leads there; who comes back without having left is refused (tests/node/test_console_oidc.py).
    ("GET", "/sign-in/oidc"): (set(ROLES), 303),
    ("GET", "/sign-in/oidc/return"): (set(), 0),
    ("GET", "/enrol"): (set(ROLES), 200),
    ("POST", "/enrol"): (set(), 0),
    ("POST", "/enrol/passkey"): (set(), 0),
    ("POST", "/sign-out"): (set(ROLES), 303),
    ("POST", "/language"): (set(ROLES), 303),
}
_WORK: Opens = {
    ("GET", "/"): (set(ROLES), 303),
    ("GET", "/you"): (set(ROLES), 200),
    ("GET", "/work"): (DESK | {"administrator"}, 200),
    ("GET", "/handover"): (DESK, 200),
    # The form of the matrix is not of the page.
    ("POST", "/handover"): (DESK, 400),
    # Nobody has left this note.
    ("POST", "/handover/{handover}/take"): (DESK, 404),
    ("GET", "/inbox"): (DESK, 200),
    ("GET", "/inbox/news"): (DESK, 200),
    ("GET", "/inbox/{alert}"): (GIVEN, 200),
    ("GET", "/inbox/{alert}/report"): (GIVEN, 200),
    ("POST", "/inbox/{alert}/report"): (GIVEN, 303),
    ("GET", "/inbox/{alert}/report/full"): (GIVEN, 200),
    ("POST", "/inbox/{alert}/report/full"): (GIVEN, 303),
    ("POST", "/inbox/{alert}/ask"): ({"liaison", "second", "both"}, 303),
}
_REPLIES: Opens = {
    ("GET", "/inbox/{alert}/acknowledge"): (DESK, 200),
    # The agreement of the matrix has no clause for it.
    ("POST", "/inbox/{alert}/acknowledge"): (GIVEN, 422),
    ("GET", "/inbox/{alert}/attest"): (DESK, 200),
    # Nothing is owed for it.
    ("POST", "/inbox/{alert}/attest"): (GIVEN, 422),
    ("GET", "/inbox/{alert}/confirm-purge"): (DESK, 200),
    ("POST", "/inbox/{alert}/confirm-purge"): (GIVEN, 422),
}
_REQUESTS: Opens = {
    ("GET", "/requests"): (DESK, 200),
    # The alert that the matrix names is no request; the tests of these pages have one.
    ("GET", "/requests/{request}"): (set(), 0),
    ("GET", "/requests/{request}/answer"): (set(), 0),
    ("POST", "/requests/{request}/answer"): (set(), 0),
    ("GET", "/requests/{request}/refuse"): (DESK, 200),
    ("POST", "/requests/{request}/refuse"): (DESK, 422),
    ("GET", "/requests/{request}/clock"): (DESK, 200),
    ("POST", "/requests/{request}/clock"): (DESK, 422),
}
_SCREEN: Opens = {
    ("GET", "/screen"): (DESK, 200),
    # The form of the matrix has no list.
    ("POST", "/screen"): (DESK, 422),
}
_LEAVE: Opens = {
    ("GET", "/inbox/{alert}/leave"): (GIVEN, 200),
    # Nothing of the form is filled in.
    ("POST", "/inbox/{alert}/leave"): (GIVEN, 422),
    ("GET", "/leave"): (DESK, 200),
    # By role and object: tests/node/test_console_leave.py. Nobody asked for anything in the office of this matrix.
    ("GET", "/leave/{leave}"): (set(), 0),
    **{(method, f"/leave/{{leave}}/{verb}"): (set(), 0) for method in ("GET", "POST") for verb in ("decide", "pass-on")},
}
_SENT: Opens = {
    # By role and object: tests/node/test_console_sent.py, tests/node/test_console_approvals.py. The alert of this matrix came from abroad.
    ("GET", "/sent"): ({"liaison", "second", "both"}, 200),
    ("GET", "/sent/{alert}"): (set(), 0),
    **{(method, f"/sent/{{alert}}/{verb}"): (set(), 0) for method in ("GET", "POST") for verb in ("withdraw", "restrict", "lift")},
    # By role and object: tests/node/test_console_sent_proof.py.
    **{(method, "/sent/{alert}/proof/{recipient}/{generation}/{index}"): (set(), 0) for method in ("GET", "POST")},
    # By role and object: tests/node/test_console_replace.py.
    **{(method, f"/sent/{{alert}}/{verb}"): (set(), 0) for method in ("GET", "POST") for verb in ("correct", "update")},
    ("GET", "/sent/{alert}/supplement/{recipient}"): (set(), 0),
    ("POST", "/sent/{alert}/supplement/{recipient}"): (set(), 0),
    ("GET", "/approvals"): ({"liaison", "second", "both"}, 200),
    ("GET", "/approvals/{submission}"): (set(), 0),
    ("GET", "/approvals/{submission}/approve"): (set(), 0),
    ("POST", "/approvals/{submission}/approve"): (set(), 0),
    ("POST", "/approvals/{submission}/take-back"): (set(), 0),
    ("GET", "/approvals/{submission}/read/{recipient}"): (set(), 0),
}
_AUDITOR: Opens = {
    ("GET", "/audit"): ({"auditor"}, 200),
    ("GET", "/audit/disclosures"): ({"auditor"}, 200),
    ("GET", "/audit/timeline"): ({"auditor"}, 200),
    ("GET", "/audit/flow"): ({"auditor"}, 200),
    ("GET", "/audit/stats"): ({"auditor"}, 200),
    ("GET", "/audit/journal"): ({"auditor"}, 200),
    ("GET", "/audit/journal/{generation}/{index}"): ({"auditor"}, 200),
    ("GET", "/audit/journal/{generation}/{index}/open"): ({"auditor"}, 200),
    ("POST", "/audit/journal/{generation}/{index}/open"): ({"auditor"}, 422),
    ("GET", "/audit/journal/{generation}/{index}/finding"): ({"auditor"}, 200),
    ("POST", "/audit/journal/{generation}/{index}/finding"): ({"auditor"}, 422),
    ("GET", "/audit/disclosures/{sender}/{recipient}/{generation}/{index}/finding"): ({"auditor"}, 200),
    ("POST", "/audit/disclosures/{sender}/{recipient}/{generation}/{index}/finding"): ({"auditor"}, 422),
    ("GET", "/audit/alerts/{alert}"): ({"auditor"}, 200),
    ("GET", "/audit/alarms"): ({"auditor"}, 200),
    ("GET", "/audit/mistakes"): ({"auditor"}, 200),
    ("GET", "/audit/witnesses"): ({"auditor", "administrator"}, 200),
    ("GET", "/audit/checks"): ({"auditor"}, 200),
    ("POST", "/audit/checks"): ({"auditor"}, 200),
    ("GET", "/audit/reconcile"): ({"auditor"}, 200),
    ("POST", "/audit/reconcile"): ({"auditor"}, 422),
    ("GET", "/audit/reasons"): ({"auditor"}, 200),
    ("GET", "/audit/urgent"): ({"auditor"}, 200),
    ("GET", "/audit/samples"): ({"auditor"}, 200),
    ("GET", "/audit/export"): ({"auditor"}, 200),
    ("POST", "/audit/export"): ({"auditor"}, 400),
    ("GET", "/audit/disclosures/{sender}/{recipient}/{generation}/{index}"): ({"auditor"}, 200),
    ("GET", "/audit/disclosures/{sender}/{recipient}/{generation}/{index}/open"): ({"auditor"}, 200),
    # Of what came in the sender keeps who released it: an auditor is told that nothing of it is here.
    ("POST", "/audit/disclosures/{sender}/{recipient}/{generation}/{index}/open"): ({"auditor"}, 404),
}
IN_PATHS = {
    "submission": "0" * 32,
    "handover": "0" * 32,
    "leave": "0" * 64,
    "sender": "gb.alerts.example",
    "recipient": "kh.alerts.example",
    "generation": "1",
    "index": "0",
}
"""What stands in the place of a path's other parameters, in the office that the matrix is asked in."""
_TELL: Opens = {
    ("GET", "/tell"): ({"ngo"}, 200),
    ("POST", "/tell"): ({"ngo"}, 303),
    ("GET", "/tell/{tip}"): ({"ngo"}, 303),
    ("GET", "/tell/{tip}/check"): ({"ngo"}, 200),
    ("POST", "/tell/{tip}/send"): ({"ngo"}, 303),
    ("GET", "/tell/{tip}/{step}"): ({"ngo"}, 200),
    ("POST", "/tell/{tip}/{step}"): ({"ngo"}, 303),
}
_TIPS: Opens = {
    ("GET", "/tips"): (DESK, 200),
    ("GET", "/tips/{tip}"): ({"liaison", "second", "police"}, 200),
    ("POST", "/tips/{tip}/take"): ({"liaison", "second", "police"}, 303),
    ("GET", "/tips/{tip}/{deed}"): (DESK, 200),
    ("POST", "/tips/{tip}/{deed}"): ({"liaison", "second", "police"}, 303),
    ("GET", "/inbox/{alert}/tip-status"): (DESK, 200),
    ("POST", "/inbox/{alert}/tip-status"): (DESK, 422),
}
AUTHOR = {"liaison"}
LIAISONS = {"liaison", "second", "both"}
"""Who may write drafts; those of the tests are the first one's, and the second is of the same agency."""
_COMPOSE: Opens = {
    ("GET", "/drafts"): (LIAISONS, 200),
    ("GET", "/drafts/new"): (LIAISONS, 200),
    ("POST", "/drafts/new"): (LIAISONS, 303),
    ("GET", "/drafts/{draft}"): (AUTHOR | {"second"}, 200),
    ("GET", "/drafts/{draft}/check"): (AUTHOR | {"second"}, 200),
    ("GET", "/drafts/{draft}/discard"): (AUTHOR | {"second"}, 200),
    ("POST", "/drafts/{draft}/discard"): (AUTHOR, 303),
    ("GET", "/drafts/{draft}/step/{part}"): (AUTHOR | {"second"}, 200),
    ("POST", "/drafts/{draft}/step/{part}"): (AUTHOR, 303),
    ("POST", "/drafts/{draft}/step/{part}/live"): (AUTHOR, 200),
}
_RELEASE: Opens = {
    # A draft that says so little goes to nobody: its pages say what is missing.
    ("GET", "/drafts/{draft}/preview"): (AUTHOR | {"second"}, 200),
    ("GET", "/drafts/{draft}/preview/{recipient}"): (set(), 0),
    ("POST", "/drafts/{draft}/preview"): (AUTHOR, 422),
    ("POST", "/drafts/{draft}/release"): (AUTHOR, 422),
    ("POST", "/drafts/{draft}/known"): (AUTHOR, 303),
    # By role and object: tests/node/test_console_replace.py. The draft of this matrix corrects nothing.
    ("GET", "/drafts/{draft}/correction"): (set(), 0),
    ("POST", "/drafts/{draft}/correction"): (set(), 0),
}
OPENS: Opens = {
    **_ADMIN,
    **_ENTRANCE,
    **_WORK,
    **_REPLIES,
    **_REQUESTS,
    **_SCREEN,
    **_LEAVE,
    **_COMPOSE,
    **_RELEASE,
    **_SENT,
    **_AUDITOR,
    **_TELL,
    **_TIPS,
}
"""For each page who it opens to, and with what status; to everybody else it refuses."""
NEW = {("GET", "/sign-in"): 200, ("GET", "/enrol"): 200, ("GET", "/sign-in/oidc"): 303, ("POST", "/language"): 303}
"""What whoever is not signed in is answered with, other than a refusal or the page to sign in."""
