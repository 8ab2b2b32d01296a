"""How long a page of fifty of a long inbox takes: `python -m benchmarks.inbox [ALERTS]`, by default 100,000.

One office in this process, its store on disk. One alert came over the wire; the others are copies of its rows under digests and landings of
their own: one in twenty was superseded, a third are answered, one in ten lands in the next days. Times are wall clock, the journal's entry
for each page and its sync included; `operation` is the list alone, `page` what the console does for a browser, session, words and HTML too.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exchange.v1 import desk_service_pb2 as messages
from node.operations.inbox import list_inbox
from node.store.alerts import alerts
from node.store.insert import insert_rows
from node.store.tables import answers, entries, inbox, landings, supersessions
from tests.console_site import Browser
from tests.countries import BORDER, DAY, NOW, agency
from tests.federation import federation
from tests.rig import Office, draft

PAGES = 40
ROUNDS = 5
BATCH = 10_000


def grow(kh: Office, count: int) -> None:
    """Copy the one alert that came until there are so many."""
    border = agency("kh", BORDER)
    numbers = random.Random(7)  # noqa: S311  the same inbox in each run
    with kh.ports.store.write() as tx:
        alert = dict(tx.exec_driver_sql("SELECT * FROM alerts WHERE NOT own").mappings().one())
        entry = dict(tx.exec_driver_sql("SELECT * FROM entries").mappings().one())
        for start in range(1, count, BATCH):
            size = min(BATCH, count - start)
            new: list[dict[str, Any]] = []
            for place in range(start, start + size):
                lands_at = NOW + numbers.randrange(-27 * DAY, 3 * DAY)
                gone = place % 20 == 0
                new.append(
                    {
                        **alert,
                        "id": alert["id"] + place,
                        "alert_id": numbers.randbytes(16),
                        "digest": numbers.randbytes(32),
                        "arrives_at": lands_at,
                        "state": "superseded" if gone else "active",
                    }
                )
            insert_rows(tx, alerts, new)
            insert_rows(tx, inbox, [{"agency": border, "alert_ref": row["id"]} for row in new])
            insert_rows(tx, landings, [{"agency": border, "alert_ref": row["id"], "lands_at": row["arrives_at"]} for row in new])
            insert_rows(tx, entries, [{**entry, "idx": row["id"], "alert_ref": row["id"]} for row in new])
            insert_rows(
                tx,
                answers,
                [{"answered": row["digest"], "answer": alert["digest"], "outbound": True, "mis_hit": False} for row in new[::3]],
            )
            later = [{"earlier": row["digest"], "later": alert["digest"], "originator": row["originator"]} for row in new]
            insert_rows(tx, supersessions, [one for one, row in zip(later, new, strict=True) if row["state"] != "active"])


def timed(ask: Callable[[str], str]) -> dict[str, float]:
    """Milliseconds of a page, walking from the first one on; and of CPU, which a busy machine changes less."""
    spent: list[float] = []
    cpu = time.process_time()
    for _ in range(ROUNDS):
        token = ""
        for _ in range(PAGES):
            begun = time.perf_counter()
            token = ask(token)
            spent.append((time.perf_counter() - begun) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / len(spent)
    found = sorted(spent)
    return {
        "p50": round(statistics.median(found), 1),
        "p95": round(found[len(found) * 95 // 100], 1),
        "most": round(found[-1], 1),
        "cpu": round(cpu, 1),
    }


def deep(kh: Office) -> str:
    """A token behind all who land yet."""
    token = ""
    while True:
        answer = list_inbox(kh.ports, kh.person("border"), messages.ListInboxRequest(page_size=500, page_token=token))
        token = answer.next_page_token
        if not token or any(one.arrives_at < NOW for one in answer.alerts):
            return token


def main(count: int) -> None:
    """Measure and print."""
    with TemporaryDirectory() as place, federation(Path(place), "gb", "kh") as two:
        two.connect("gb", "kh")
        two["gb"].publish(draft(agency("kh", BORDER)))
        two.pump()
        kh = two["kh"]
        grow(kh, count)
        browser = Browser(kh).enter("border")
        begin = deep(kh)

        def operation(token: str) -> str:
            answer = list_inbox(kh.ports, kh.person("border"), messages.ListInboxRequest(page_token=token))
            return answer.next_page_token

        def page(token: str) -> str:
            text = browser.get(f"/inbox?after={token}").text
            return text.partition('href="/inbox?after=')[2].partition('"')[0]

        found = {
            "alerts": count,
            "operation": timed(operation),
            "operation, behind who lands": timed(lambda token: operation(token or begin)),
            "page": timed(page),
        }
        print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
