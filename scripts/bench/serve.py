"""The Python half of serve.mjs: one JSON line after another on stdin, one answer each on stdout."""
import json
import resource
import sys
import time
import traceback


class Skip(Exception):
    """Why a peer is not here."""


def _answer(value):
    print(json.dumps(value), flush=True)


def _cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def serve(open_peer):
    """open_peer(request) returns an object with `about`, `check(out)` and `run(count)`."""
    request = json.loads(sys.argv[1])
    try:
        peer = open_peer(request)
    except Skip as reason:
        _answer({"skip": str(reason)})
        return
    except Exception as error:  # a peer that breaks is absent, and must not end the comparison
        _answer({"skip": f"{type(error).__name__}: {error}".splitlines()[0][:300]})
        return
    _answer({"about": peer.about})
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if order["do"] == "check":
                _answer(peer.check(order["out"]))
            else:
                start, cpu = time.perf_counter(), _cpu()
                peer.run(order["count"])
                _answer({"wall": time.perf_counter() - start, "cpu": _cpu() - cpu})
        except Exception as error:
            where = traceback.format_exc().strip().splitlines()[-1]
            _answer({"error": f"{type(error).__name__}: {error} | {where}"[:500]})
