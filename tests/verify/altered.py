"""Alters a bundle: altered.py BUNDLE SEED OUT. SEED is the log's own (`log.seed`).

Writes OUT/flips/found-WHAT.zip (one bit of a file changed), OUT/flips/signed-WHAT.zip (the same, and the log's
operator signs a statement that agrees with it: what refuses it then is the check of that very part),
OUT/less/found-WHAT.zip and OUT/less/signed-WHAT.zip (a part left out), OUT/edits/signed-WHAT.zip (it says something
else) and OUT/none/WHAT.zip (no bundle). Archives are whole; only what they say is not.

OUT/expected holds a line for each: its path, the exit codes that docs/bundle.md gives `fairhold verify` and `fairhold
replay` for it, and what must be asked for (`-`: nothing by name)."""
import base64
import hashlib
import json
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

bundle, seed, out = zipfile.ZipFile(sys.argv[1]), Path(sys.argv[2]).read_bytes(), Path(sys.argv[3])
good = {name: bundle.read(name) for name in bundle.namelist()}
dice = random.Random(5)
assert len(seed) == 32, "the seed is not as we write it"


def signature(message):
    with tempfile.TemporaryDirectory() as d:
        Path(d, "key").write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
        Path(d, "message").write_bytes(message)
        command = ["openssl", "pkeyutl", "-sign", "-keyform", "DER", "-inkey", f"{d}/key", "-rawin", "-in", f"{d}/message"]
        return subprocess.run(command, check=True, capture_output=True).stdout


def stated(files):
    """The same with a statement that names these files, under the log's signature."""
    envelope = json.loads(good["statement.dsse.json"])
    payload, kind = json.loads(base64.b64decode(envelope["payload"])), envelope["payloadType"]
    payload["subject"] = [
        {"digest": {"sha256": hashlib.sha256(data).hexdigest()}, "name": name}
        for name, data in sorted(files.items())
        if name != "statement.dsse.json"
    ]
    text = json.dumps(payload, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    envelope["payload"] = base64.b64encode(text).decode()
    pae = b"DSSEv1 %d %s %d " % (len(kind), kind.encode(), len(text)) + text
    envelope["signatures"][0]["sig"] = base64.b64encode(signature(pae)).decode()
    told = json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
    return {**files, "statement.dsse.json": told}


def write(place, files):
    """As we write it: names in order, stored, one date."""
    path = out / place
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=str.encode):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            for field in ("create_system", "create_version", "extract_version", "external_attr"):
                setattr(info, field, getattr(bundle.infolist()[0], field))
            archive.writestr(info, files[name])


def flipped(name, places):
    data = bytearray(good[name])
    data[dice.choice(places)] ^= 1 << dice.randrange(8)
    return {**good, name: bytes(data)}


def some(pattern):
    return dice.choice([name for name in sorted(good) if re.fullmatch(pattern, name)])


def hashes(name):
    """Places within the first hash of a proof, and none of the bits that base64 leaves over at its end."""
    start = good[name].index(b"\n", good[name].index(b"\nindex ") + 1) + 1
    assert good[name][start + 44 : start + 45] == b"\n", "the proof has no hash"
    return range(start, start + 42)


def root(name):
    """Places within the root of a checkpoint, as above."""
    start = good[name].index(b"\n", good[name].index(b"\n") + 1) + 1
    return range(start, start + 42)


def flips():
    entry, proof = some(r"entries/\d+\.json"), some(r"entries/\d+\.tlog-proof")
    body, above = some(r"ledgers/\d+\.body"), some(r"ledgers/\d+\.tlog-proof")
    whole = lambda name: range(len(good[name]))
    yield "entry", flipped(entry, whole(entry)), True
    yield "proof", flipped(proof, hashes(proof)), True
    yield "ledger", flipped(body, whole(body)), True
    yield "ledger-proof", flipped(above, hashes(above)), True
    yield "checkpoint", flipped("checkpoint", root("checkpoint")), True
    # Ledgers that are there as a whole, or their first records.
    for kind, places in (("entries", whole), ("consistency", lambda name: range(42))):
        there = [name for name in sorted(good) if re.fullmatch(rf"ledgers/\d+\.{kind}", name) and good[name].strip()]
        if there:
            name = dice.choice(there)
            yield f"ledger-{kind}", flipped(name, places(name)), True
    yield "statement", flipped("statement.dsse.json", range(20, 400)), False
    yield "vkey", flipped("log.vkey", whole("log.vkey")), False
    if "checkpoint.tsr" in good:
        token = good["checkpoint.tsr"]
        imprint = token.index(hashlib.sha256(good["checkpoint"]).digest())
        signed = [*range(imprint - 24, imprint + 52), *range(len(token) - 250, len(token))]
        yield "timestamp", flipped("checkpoint.tsr", signed), True


expected = []


def expect(path, files, verify, replay, ask="-"):
    write(path, files)
    expected.append(f"{path} {verify} {replay} {ask}")


write("as-it-is.zip", good)
assert (out / "as-it-is.zip").read_bytes() == Path(sys.argv[1]).read_bytes(), "an archive written otherwise than ours"
expected.append("as-it-is.zip 0 0 -")
expect("same.zip", stated(good), 0, 0)
for what, files, signable in flips():
    expect(f"flips/found-{what}.zip", files, 1, 1)
    if signable:
        expect(f"flips/signed-{what}.zip", stated(files), 1, 1)


def account():
    """All that proves anything of one account's ledger."""
    begun = sorted(name for name in good if re.fullmatch(r"ledgers/\d+\.entries", name))
    stem = dice.choice(begun)[: -len(".entries")]
    body = good[stem + ".body"].decode()
    own = {name for name in good if name.startswith(stem + ".")}
    for name in good:
        if re.fullmatch(r"entries/\d+\.tlog-proof", name) and body in good[name].decode():
            own |= {name, name[: -len("tlog-proof")] + "json"}
    return own


def records(kind):
    """Records of one type that are proven by themselves, with their proofs."""
    entries = [name for name in sorted(good) if re.fullmatch(r"entries/\d+\.json", name)]
    own = [name for name in entries if json.loads(good[name])["type"] == kind and "case" in json.loads(good[name])]
    return {file for name in own for file in (name, name[: -len("json")] + "tlog-proof")}


def named(pattern):
    return {name for name in good if re.fullmatch(pattern, name)}


# What is left out, and what `verify` and `replay` make of it though the operator signs what is left: what is missing is
# unproven (3), but a record, a proof or a ledger without which another hangs in the air fails the bundle (1).
cited = any("finding" in json.loads(good[name]) and "case" in json.loads(good[name])
            for name in sorted(named(r"entries/\d+\.json")))
LESS = [
    ("timestamp", named(r"checkpoint\.tsr|tsa/.*"), 3, "timestamp"),
    ("witnesses", named(r"trust\.policy"), 3, "witnesses"),
    ("rulings", named(r"rulings/.*"), 3, "-"),
    ("policies", named(r"policy/.*"), 3, "-"),
    ("documents", named(r"terms/.*"), 3, "-"),
    ("detector", named(r"detector/.*"), 3, "-"),
    ("sums", {some(r"detector/accounts/\d+\.json")}, 3, "-"),
    ("findings", named(r"findings/.*"), 3, "-"),
    ("disclosure", named(r"disclosure\.json"), 3, "-"),
    ("first-records", named(r"ledgers/\d+\.(entries|consistency)"), 3, "-"),
    ("account", account(), 3, "-"),
    ("judged", records("judged"), 3, "-"),
    ("ledgers", named(r"ledgers/.*"), 1, "-"),
    ("ledger", {some(r"ledgers/\d+\.body")}, 1, "-"),
    ("ledger-proof", {some(r"ledgers/\d+\.tlog-proof")}, 1, "-"),
    ("consistency", {some(r"ledgers/\d+\.consistency")}, 1, "-"),
    ("entries", named(r"entries/.*"), 1, "-"),
    ("entry", {some(r"entries/\d+\.json")}, 1, "-"),
    ("proof", {some(r"entries/\d+\.tlog-proof")}, 1, "-"),
    ("steps", records("case_step"), 1, "-"),
    ("checkpoint", {"checkpoint"}, 1, "-"),
    ("vkey", {"log.vkey"}, 1, "-"),
]
for what, names, code, ask in LESS:
    if not names:
        # Requests under no terms have no rulings, and not everybody is found: every other part is there.
        assert what in ("rulings", "policies", "documents", "findings") and not (cited and what == "findings"), f"no {what} to leave out"
        print(f"this case holds no {what} that could be left out")
        continue
    less = {name: data for name, data in good.items() if name not in names}
    assert len(less) + len(names) == len(good), what
    expect(f"less/found-{what}.zip", less, 1, 1)
    expect(f"less/signed-{what}.zip", stated(less), code, code, ask)
expect("less/found-statement.zip", {n: data for n, data in good.items() if n != "statement.dsse.json"}, 1, 1)


def edited(name, change):
    value = json.loads(good[name])
    change(value)
    return stated({**good, name: json.dumps(value, separators=(",", ":")).encode()})


def first(of, change):
    """Changes the first account of disclosure.json, or the first look of an account's sums."""
    return lambda value: change(value[of][0])


sums = some(r"detector/accounts/\d+\.json")
expect("edits/signed-score.zip", edited(sums, first("looks", lambda look: look.update(statistic="9.5"))), 0, 1)
expect("edits/signed-sums.zip", edited(sums, first("looks", lambda look: look.update(sums=""))), 3, 1)
expect("edits/signed-no-looks.zip", edited(sums, lambda v: v.update(looks=[])), 3, 3)
expect("edits/signed-unread.zip", edited(sums, lambda v: v.pop("unread")), 3, 3)
fewer = first("accounts", lambda of: of.update(exchanges_disclosed=of["exchanges_disclosed"] - 1))
expect("edits/signed-fewer.zip", edited("disclosure.json", fewer), 3, 3)
more = first("accounts", lambda of: of.update(exchanges_counted=of["exchanges_counted"] + 1000))
expect("edits/signed-more.zip", edited("disclosure.json", more), 3, 3)
if named(r"findings/.*"):
    finding = some(r"findings/.*")
    expect("edits/signed-finding.zip", edited(finding, lambda v: v.update(p=0.5)), 3, 1)

(out / "none").mkdir()
(out / "none/empty.zip").write_bytes(b"")
(out / "none/text.zip").write_bytes(b"this is not an evidence bundle\n")
with zipfile.ZipFile(out / "none/other.zip", "w") as archive:
    archive.writestr("a", "b")
expected += [f"none/{name}.zip 2 2 -" for name in ("empty", "text", "other")]
(out / "expected").write_text("\n".join(expected) + "\n")
