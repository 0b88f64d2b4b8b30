"""Plays it: see run.sh."""

import email
import email.policy
import json
import logging
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

fairhold, scratch = sys.argv[1], pathlib.Path(sys.argv[2])
data = scratch / "data"
CASES = 4
PASSWORD = "the mail server's password"
SAID = "first line\r\n.\r\nRCPT TO:<evil@example.org>\r\nDATA\r\nBcc: evil@example.org\r\n\r\n..two dots — 这不是命令"
logging.getLogger("mail.log").setLevel(logging.ERROR)
lock = threading.Lock()
signing_in, failing = threading.Event(), threading.Event()
signing_in.set()
failing.set()
refused, taken, faults = {"password": 0, "later": 0, "never": 0}, {}, []


class Receiver:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address not in ("house@example.org", "kunde@example.org", "gone@example.org"):
            faults.append(f"somebody else is written to: {address}")
        if address == "gone@example.org":
            with lock:
                refused["never"] += 1
            return "550 5.1.1 no such mailbox"
        if failing.is_set():
            with lock:
                refused["later"] += 1
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        try:
            check(session, envelope)
        except Exception as error:  # kept, and told at the end
            faults.append(repr(error))
        return "250 taken"


def check(session, envelope):
    assert session.ssl is not None and session.authenticated
    raw = envelope.content
    assert all(byte < 128 for byte in raw), "a byte that not every server passes"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert not message.defects and set(map(str.lower, message.keys())) <= {
        "from", "to", "subject", "message-id", "date", "mime-version", "content-type"}, message.keys()
    assert [message["to"]] == envelope.rcpt_tos and message["from"] == "Fairhold <notices@example.org>", message["to"]
    text, attached = message.iter_parts()
    notice = json.loads(attached.get_content())
    assert attached.get_filename() == "notice.json" and not text.defects and not attached.defects
    words, event = text.get_content(), notice["type"]
    assert message["subject"] == f"{event} ({notice['data']['case']})", message["subject"]
    for said in notice["data"].get("statement", {}).values():
        assert flat(said) in flat(words), said
    if event in ("enforcement.warned", "enforcement.throttled"):
        assert "案件：" in words and "Case: " in words, words
        for part in (text, attached):
            assert part.get_content_charset() == "utf-8", part["content-type"]
    if notice["data"].get("comment", "").startswith("first"):
        assert flat(notice["data"]["comment"]) == flat(SAID), notice["data"]["comment"]
    with lock:
        name = notice["data"]["id"], message["to"]
        first = taken.setdefault(name, {"ids": set(), "count": 0, "event": event})
        first["ids"].add(message["message-id"])
        first["count"] += 1


def flat(text):
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def authenticate(server, session, envelope, mechanism, given):
    good = (given.login, given.password) == (b"fairhold", PASSWORD.encode()) and not signing_in.is_set()
    if not good:
        with lock:
            refused["password"] += 1
    return AuthResult(success=good, handled=good)


def ask(*words, fails=False):
    told = subprocess.run([fairhold, *words, "--data", data, "--json"], capture_output=True, text=True)
    assert (told.returncode == 2) == fails, (words, told.returncode, told.stderr)
    return None if fails else json.loads(told.stdout)


def serve():
    server = subprocess.Popen(
        [fairhold, "serve", "--config", scratch / "serve.toml", "--data", data, "--json"],
        stdout=subprocess.PIPE, stderr=open(scratch / "serve.log", "a"))
    assert server.stdout.readline(), (scratch / "serve.log").read_text()
    return server


def kill(server):
    server.kill()  # SIGKILL
    server.wait()
    return serve()


def wait(what, done):
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end, f"{what}: {refused}, {len(taken)} taken, {faults[:2]}"
        time.sleep(0.05)


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(scratch / "server.pem", scratch / "server.key")
Controller(Receiver(), hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True,
           auth_required=True, authenticator=authenticate).start()
(scratch / "password").write_text(PASSWORD + "\n")
(scratch / "serve.toml").write_text(
    'listen = "127.0.0.1:0"\n[[upstream]]\nname = "mock"\nkind = "mock"\nmodels = ["m"]\n'
    "[notices]\nfirst_retry_seconds = 0.2\n[notices.smtp]\n"
    f'host = "localhost"\nport = {port}\nsecrecy = "starttls"\nfrom = "Fairhold <notices@example.org>"\n'
    f'user = "fairhold"\npassword_file = "{scratch}/password"\nca_file = "{scratch}/ca.pem"\n')
server = serve()
ask("account", "create", "accused")
for wrong in ("a@example.org\r\nBcc: b@example.org", "a@example.org, b@example.org", "a b@example.org", "a@example.org>"):
    ask("notices", "endpoint", "add", wrong, fails=True)
paths = {}
for target, account in (("house@example.org", []), ("kunde@example.org", ["--account", "accused"]), ("gone@example.org", [])):
    paths[ask("notices", "endpoint", "add", target, *account)["id"]] = target
for n in range(CASES):
    case = ask("case", "propose", "accused", "--clause", "t/1", "--action", "notice", "--by", "ann",
               "--summary", SAID, "--metric", "requests", "--under", "10")["case"]
    ask("case", "emergency", case, "--by", "ann", "--comment", SAID)
ask("export", case, "--out", scratch / "case.zip")
# Whoever signs in wrongly is not the notice's fault.
wait("the password was refused", lambda: refused["password"] > 2 * CASES)
assert not ask("notices", "list", "--state", "dead")
signing_in.clear()
wait("the mailbox was busy", lambda: refused["later"] > CASES)
server = kill(server)
failing.clear()
wait("some were taken", lambda: len(taken) > CASES)
server = kill(server)
wait("the outbox is empty", lambda: not ask("notices", "list", "--state", "queued"))
told = ask("notices", "list", "--limit", "1000")
server.terminate()
assert server.wait(20) == 0
assert not faults, faults[:3]
wanted = {(n["id"], paths[n["endpoint"]]) for n in told if paths[n["endpoint"]] != "gone@example.org"}
# A case is seen (house), noticed (both), throttled in an emergency (both); one bundle (both).
assert len(wanted) == 5 * CASES + 2, len(wanted)
assert wanted == set(taken), wanted ^ set(taken)
assert all(len(one["ids"]) == 1 for one in taken.values()), "a notice changed its Message-ID"
for notice in told:
    dead = paths[notice["endpoint"]] == "gone@example.org"
    assert notice["state"] == ("dead" if dead else "delivered"), notice
    assert not dead or "no such mailbox" in notice["error"], notice
# Each is refused once, or again where the server was killed before it wrote that down.
gone = sum(paths[n["endpoint"]] == "gone@example.org" for n in told)
assert gone <= refused["never"] <= 2 * gone, (gone, refused)
again = sum(one["count"] for one in taken.values()) - len(taken)
print(f"mail: {len(wanted)} notices, {refused['later']} tries refused for now, {refused['password']} for the password, "
      f"{gone} for good, 2 kills: each taken, {again} twice, none lost")
