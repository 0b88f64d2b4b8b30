"""Plays it: see run.sh."""

import base64
import json
import pathlib
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook

fairhold, scratch = sys.argv[1], pathlib.Path(sys.argv[2])
data = scratch / "data"
CASES = 8
failing = threading.Event()
failing.set()
lock = threading.Lock()
refused, taken, faults = [], {}, []
endpoints = {}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            check(self.path, dict(self.headers.items()), body)
        except Exception as error:  # kept, and told at the end
            with lock:
                faults.append(f"{self.path}: {error!r}")
        with lock:
            name = self.headers["webhook-id"], self.path
            if failing.is_set():
                refused.append(name)
                status = 500
            else:
                taken[name] = taken.get(name, 0) + 1
                status = 204
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def check(path, headers, body):
    endpoint = endpoints[path]
    headers = {name.lower(): value for name, value in headers.items()}
    said = Webhook(endpoint["secret"]).verify(body, headers)
    assert said["data"]["id"] == headers["webhook-id"], said
    signature = next(s for s in headers["webhook-signature"].split(" ") if s.startswith("v1a,"))
    key = base64.b64decode(endpoint["public_key"].removeprefix("whpk_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signature[4:]), content)
    if path == "/customer":
        assert said["data"]["accounts"] == ["accused"] and "by" not in said["data"], said


def ask(*words):
    told = subprocess.run([fairhold, *words, "--data", data, "--json"], capture_output=True, text=True)
    assert told.returncode in (0, 1), (words, told.stderr)
    return json.loads(told.stdout)


def serve():
    server = subprocess.Popen(
        [fairhold, "serve", "--config", scratch / "serve.toml", "--data", data, "--json"],
        stdout=subprocess.PIPE,
        stderr=open(scratch / "serve.log", "a"),
    )
    assert server.stdout.readline(), (scratch / "serve.log").read_text()
    return server


def wait(what, done):
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end, f"{what}: {len(refused)} refused, {len(taken)} taken"
        time.sleep(0.05)


receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
port = receiver.server_address[1]
(scratch / "serve.toml").write_text(
    'listen = "127.0.0.1:0"\n[[upstream]]\nname = "mock"\nkind = "mock"\nmodels = ["m"]\n'
    "[notices]\nfirst_retry_seconds = 0.2\nloopback = true\n"
)
server = serve()
ask("account", "create", "accused")
for path, account in (("/house", []), ("/customer", ["--account", "accused"])):
    url = f"http://127.0.0.1:{port}{path}"
    endpoints[path] = ask("notices", "endpoint", "add", url, *account)
for n in range(CASES):
    case = ask("case", "propose", "accused", "--clause", "t/1", "--action", "notice", "--by", "ann",
               "--summary", f"case {n}", "--metric", "requests", "--under", "10")["case"]
    if n == CASES // 2:
        server.kill()  # SIGKILL
        server.wait()
        server = serve()
    ask("case", "emergency", case, "--by", "ann", "--comment", "it cannot wait")
wait("the receiver was tried", lambda: len(refused) > 2 * CASES)
server.kill()
server.wait()
server = serve()
failing.clear()
wait("some were taken", lambda: len(taken) > CASES)
server.kill()
server.wait()
server = serve()
wait("the outbox is empty", lambda: not ask("notices", "list", "--state", "queued"))
notices = ask("notices", "list", "--limit", "1000")
server.terminate()
assert server.wait(20) == 0
paths = {endpoint["id"]: path for path, endpoint in endpoints.items()}
wanted = {(notice["id"], paths[notice["endpoint"]]) for notice in notices}
assert not faults, faults[:3]
assert {notice["state"] for notice in notices} == {"delivered"}, notices
# A case is seen (house), noticed (both) and throttled in an emergency (both).
assert len(wanted) == 5 * CASES, len(wanted)
assert wanted == set(taken), wanted ^ set(taken)
again = sum(taken.values()) - len(taken)
print(f"webhooks: {len(wanted)} notices, {len(refused)} tries refused, 3 kills: each taken, {again} twice, none lost")
