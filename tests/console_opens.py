"""Who each page of the console opens to: the matrix that the tests hold every route against."""

from tests.rig import ROLES

DESK = {"liaison", "second", "police", "border", "ngo", "both"}
GIVEN = {"liaison", "second", "police", "border", "both"}
"""Who works for an agency that was told; the children's organisation was not."""
Opens = dict[tuple[str, str], tuple[set[str], int]]

_ENTRANCE: Opens = {
    ("GET", "/sign-in"): (set(ROLES), 200),
    ("POST", "/sign-in"): (set(), 0),
    ("POST", "/sign-in/code"): (set(), 0),
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
    ("GET", "/inbox"): (DESK, 200),
    ("GET", "/inbox/{alert}"): (GIVEN, 200),
    ("GET", "/inbox/{alert}/report"): (DESK, 200),
    ("POST", "/inbox/{alert}/report"): (GIVEN, 303),
}
_TELL: Opens = {
    ("GET", "/tell"): ({"ngo"}, 200),
    ("POST", "/tell"): ({"ngo"}, 303),
    ("GET", "/tell/{tip}"): ({"ngo"}, 303),
    ("GET", "/tell/{tip}/check"): ({"ngo"}, 200),
    ("POST", "/tell/{tip}/send"): ({"ngo"}, 303),
    ("GET", "/tell/{tip}/{step}"): ({"ngo"}, 200),
    ("POST", "/tell/{tip}/{step}"): ({"ngo"}, 303),
}
OPENS: Opens = _ENTRANCE | _WORK | _TELL
"""For each page who it opens to, and with what status; to everybody else it refuses."""
NEW = {("GET", "/sign-in"): 200, ("GET", "/enrol"): 200, ("POST", "/language"): 303}
"""What whoever is not signed in is answered with, other than a refusal or the page to sign in."""
