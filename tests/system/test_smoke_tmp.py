import time

import pytest

from tests.checks import check_pair, snapshot
from tests.system.nodes import *

pytestmark = pytest.mark.system

def test_smoke(countries, nursery, running, tmp_path):
    t=time.monotonic()
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(kh)); running.append(nursery.start(gb))
    print("boot", time.monotonic()-t)
    ledger = Ledger()
    with ask(gb) as stub:
        t=time.monotonic()
        publish(stub, [draft(n, [kh.agency("gdi")]) for n in range(40)], ledger)
        print("published", time.monotonic()-t)
        last = ledger.answered[draft(39, []).request_id][0]
        def done():
            s = stub.GetAlertStatus(desk.GetAlertStatusRequest(alert=last.manifest_digest.hex()))
            return all(d.state == desk.DISCLOSURE_STATE_RECEIPTED for d in s.disclosures) and s
        print(until(done)); print("receipted", time.monotonic()-t)
    t=time.monotonic()
    a, b = snapshot(gb.directory, tmp_path/"c", running=True), snapshot(kh.directory, tmp_path/"c", running=True)
    print("snap", time.monotonic()-t)
    t=time.monotonic()
    print(check_pair(a, b, ledger.answered, ledger.asked, healed=True))
    print("check", time.monotonic()-t)
    for p in running: p.kill()
    t=time.monotonic()
    a, b = snapshot(gb.directory, tmp_path/"d", running=False), snapshot(kh.directory, tmp_path/"d", running=False)
    print(check_pair(a, b, ledger.answered, ledger.asked, healed=True))
    print("check", time.monotonic()-t)
    import cProfile
    import pstats
    pr = cProfile.Profile(); pr.enable()
    print(check_pair(a, b, ledger.answered, ledger.asked, healed=True))
    pr.disable(); pstats.Stats(pr).sort_stats("cumtime").print_stats(45)
