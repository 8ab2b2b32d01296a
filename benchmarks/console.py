"""Server time of every page of the console with many alerts: `python -m benchmarks.console [ALERTS] [ROUTE]`, by default 100,000.

One office in this process, its store on disk; the pages and their addresses are those that the browser's tests open. Half of the
alerts came from abroad and half are its own, all in force, each with its entry in a log; they are copies of one row each under digests,
landings and times of their own, a third answered, one in twenty superseded. Milliseconds: by the clock, the journal's entries and their
syncs included, and of CPU, which a busy machine changes less. The client that asks is in the same process: `client` is what it takes for
a page that does nothing.
"""

import gc
import json
import random
import re
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exchange.encoding import encode
from exchange.tlog.merkle import leaf_hash
from exchange.v1.disclosure_pb2 import Entry
from node.operations.contents import purpose_of_alert, purpose_of_entry
from node.store.alerts import alerts
from node.store.insert import insert_rows
from node.store.logs import all_logs
from node.store.logs import grow as grow_log
from node.store.tables import answers, inbox, landings, supersessions
from node.store.vault import DataKey
from tests.browser.world import every_page, one_of_each
from tests.console_site import Browser
from tests.countries import BORDER, DAY, NOW, POLICE, agency
from tests.rig import Office

TIMES = 40
BATCH = 10_000


def grow(office: Office, count: int) -> None:
    """Copy one alert that came and one that was sent until there are so many."""
    numbers = random.Random(7)  # noqa: S311  the same store in each run
    with office.ports.store.write() as tx:
        for own in (False, True):
            pattern = _pattern(office, tx, own=own)
            ((highest,),) = tx.exec_driver_sql("SELECT max(id) FROM alerts")
            for start in range(0, count // 2, BATCH):
                new = pattern.alerts(highest + 1 + start, min(BATCH, count // 2 - start), numbers)
                insert_rows(tx, alerts, new)
                (log,) = (log for log in all_logs(tx) if log.name.origin == pattern.origin)
                logged = pattern.entries(log.size, new, count // 2)
                edge = log.frontier.extend(row["leaf"] for row in logged)
                grow_log(tx, log, edge, logged, disclosed_at=NOW, control_size=log.control_size, checkpoint=log.checkpoint)
                if not own:
                    told = [agency("kh", one) for one in (BORDER, POLICE)]
                    insert_rows(tx, inbox, [{"agency": one, "alert_ref": row["id"]} for one in told for row in new])
                    due = [{"agency": one, "alert_ref": row["id"], "lands_at": row["arrives_at"]} for one in told for row in new]
                    insert_rows(tx, landings, due)
                pairs = [(row["digest"], other["digest"], row["state"]) for row, other in pairwise(new)]
                insert_rows(
                    tx, answers, [{"answered": one, "answer": other, "outbound": not own, "mis_hit": False} for one, other, _ in pairs[::3]]
                )
                gone = [(one, other) for one, other, state in pairs if state != "active"]
                later = [{"earlier": one, "later": other, "originator": pattern.alert["originator"]} for one, other in gone]
                insert_rows(tx, supersessions, later)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One alert with its entry, opened, so that its copies can be sealed under ids of their own."""

    alert: dict[str, Any]
    entry: dict[str, Any]
    origin: str
    key: DataKey
    content: bytes
    record: bytes

    def alerts(self, first: int, count: int, numbers: random.Random) -> list[dict[str, Any]]:
        """So many rows of alerts."""
        made = []
        for number in range(first, first + count):
            alert_id = numbers.randbytes(16)
            fresh = {"id": number, "alert_id": alert_id, "digest": numbers.randbytes(32), "request_id": None}
            landing, state = NOW + numbers.randrange(-27 * DAY, 3 * DAY), "active" if number % 20 else "superseded"
            sealed = self.key.seal(purpose_of_alert(alert_id), self.content)
            made.append({**self.alert, **fresh, "arrives_at": landing, "state": state, "sealed": sealed})
        return made

    def entries(self, first: int, rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
        """Their entries, spread over the last ninety days."""
        value = Entry.FromString(self.entry["entry"])
        made = []
        for index, row in enumerate(rows, first):
            value.manifest_digest, value.disclosed_at = row["digest"], NOW - 90 * DAY + 90 * DAY * index // (count + first)
            data = encode(value)
            sealed = self.key.seal(purpose_of_entry(row["alert_id"], self.origin), self.record)
            made.append({**self.entry, "idx": index, "alert_ref": row["id"], "entry": data, "leaf": leaf_hash(data), "sealed": sealed})
        return made


def _pattern(office: Office, tx: Any, *, own: bool) -> _Pattern:
    asked = "SELECT * FROM alerts WHERE own = ? AND alert_type LIKE '%TravelAlert' ORDER BY id LIMIT 1"
    alert = dict(tx.exec_driver_sql(asked, (own,)).mappings().one())
    entry = dict(tx.exec_driver_sql("SELECT * FROM entries WHERE alert_ref = ? LIMIT 1", (alert["id"],)).mappings().one())
    (origin,) = (log.name.origin for log in all_logs(tx) if log.id == entry["log_id"])
    key = office.ports.vault.unwrap(tx, alert["period"], alert["wrapped_key"])
    content = key.open(purpose_of_alert(alert["alert_id"]), alert["sealed"])
    return _Pattern(alert, entry, origin, key, content, key.open(purpose_of_entry(alert["alert_id"], origin), entry["sealed"]))


def timed(browser: Browser, address: str) -> dict[str, float]:
    """What one page takes."""
    answer = browser.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status_code}, {answer.text[:20000]}"
    walls: list[float] = []
    cpu = time.process_time()
    for _ in range(TIMES):
        begun = time.perf_counter()
        browser.get(address)
        walls.append((time.perf_counter() - begun) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / TIMES
    found = sorted(walls)
    return {"p50": round(statistics.median(found), 1), "p95": round(found[TIMES * 95 // 100], 1), "cpu": round(cpu, 1)}


def main(count: int, only: str = "") -> None:
    """Measure and print, the slowest first."""
    with TemporaryDirectory() as place, one_of_each(Path(place)) as (office, places):
        grow(office, count)
        gc.collect()
        gc.freeze()  # as a node does
        browsers: dict[str, Browser] = {}
        found: dict[str, dict[str, float]] = {}
        for page in every_page():
            if page.sent is not None or not page.who or (only and only not in page.route) or page.route in found:
                continue
            browser = browsers.setdefault(page.who, Browser(office).enter(page.who))
            found[page.route] = timed(browser, re.sub(r"\{(\w+)\}", lambda name: places[name[1]], page.route))
            print(page.route, json.dumps(found[page.route]), file=sys.stderr, flush=True)
        client = timed(next(iter(browsers.values())), "/you")
        slowest = dict(sorted(found.items(), key=lambda one: -one[1]["cpu"]))
        print(json.dumps({"alerts": count, "client": client, "pages": slowest}, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, *sys.argv[2:3])
