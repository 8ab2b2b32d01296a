import time, subprocess
from tests.system.test_hostile_partners import *
def test_x(countries, nursery, running):
    gb, kh, vn = countries.gb, countries.kh, countries.vn
    running.append(nursery.start(gb))
    with knock(gb, material_of(vn, gb), OWN_CONNECTION) as stub:
        streams = [Stream(stub, greet=False) for _ in range(16)]
        time.sleep(1)
        print([s.call.is_active() for s in streams])
        print(subprocess.run(f"grep -i ':{gb.port:04X} ' /proc/net/tcp /proc/net/tcp6| grep ' 01 ' ",shell=True,capture_output=True,text=True).stdout)
        t=time.monotonic()
        try: stub.GetDescriptor(messages.GetDescriptorRequest(), timeout=2); print("served", time.monotonic()-t)
        except grpc.RpcError as e: print(e.code())
        print([s.call.is_active() for s in streams])
        for s in streams: s.close()
    print(gb.log.read_text())
