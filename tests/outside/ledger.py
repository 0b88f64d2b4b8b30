"""Checks a ledger's files (C2SP tlog-tiles) with nothing of the program that wrote them: PyPI
`sigstore`'s Merkle verifier and `cryptography`. Usage: ledger.py FOLDER [FLIPS]. FOLDER holds one
ledger, or all of them as `fairhold export ledger FOLDER --all` writes them. A line of FLIPS is
NAME BYTE BIT, and with that bit of that file changed the same check must refuse.

What is remembered between checks are results of pure functions, by the whole of what they were
given: files that did not change are not hashed again, a changed one always is."""
import base64
import functools
import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sigstore._internal import merkle
from sigstore.errors import VerificationError

# What a changed file makes of the check; anything else is a mistake of this program.
REFUSED = (AssertionError, ValueError, InvalidSignature, VerificationError, UnicodeDecodeError)


def b64(text):
    data = base64.b64decode(text, validate=True)
    assert base64.b64encode(data).decode() == text, "loose bits in base64"
    return data


def path(level, n, width):
    parts = [f"{n % 1000:03}"]
    while n := n // 1000:
        parts.insert(0, f"x{n % 1000:03}")
    return f"tile/{level}/{'/'.join(parts)}" + (f".p/{width}" if width < 256 else "")


@functools.cache
def opened(vkey, note):
    """The origin, size and root of a checkpoint that the log's key signed, as the log or as one
    of its ledgers."""
    log, key_id, key = vkey.decode().split("+", 2)
    key = b64(key)
    named = lambda name: hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    assert key[0] == 1 and named(log).hex() == key_id, "not the key of its id"
    text, line = note.decode().split("\n\n")
    dash, signer, signature = line.removesuffix("\n").split(" ")
    origin, size, root = text.split("\n")
    assert line.endswith("\n") and dash == "\u2014" and signer == origin, "not signed as itself"
    assert origin == log or origin.startswith(log + "/"), "another log"
    signature = b64(signature)
    assert signature[:4] == named(origin), "another key"
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], (text + "\n").encode())
    assert str(int(size)) == size, "a size spelled in another way"
    return origin, int(size), b64(root)


@functools.cache
def entries(bundle, width):
    """The entries of a bundle."""
    found, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        assert at + 2 + length <= len(bundle), "an entry is cut short"
        found.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    assert len(found) == width, "not as many entries as the place says"
    return found


@functools.cache
def leaves(bundle, width):
    """The tile of level 0 over a bundle of entries."""
    return b"".join(merkle._hash_leaf(entry) for entry in entries(bundle, width))


@functools.cache
def root_of(tile):
    """Root of a tile's hashes; the last may stand for fewer entries than the others."""
    row = [tile[at : at + 32] for at in range(0, len(tile), 32)]
    while len(row) > 1:
        pairs = [merkle._hash_children(a, b) for a, b in zip(row[::2], row[1::2])]
        row = pairs + row[len(pairs) * 2 :]
    return row[0]


class Files:
    """Files below a folder, one of them changed in memory if so wished."""

    def __init__(self, folder):
        self.folder, self.changed, self.kept = Path(folder), {}, {}

    def read(self, name):
        if name in self.changed:
            return self.changed[name]
        if name not in self.kept:
            self.kept[name] = (self.folder / name).read_bytes()
        return self.kept[name]


class Ledger:
    """One ledger at a place below `files`."""

    def __init__(self, files, at=""):
        self.files, self.at = files, at
        self.vkey = files.read("log.vkey")
        self.origin, self.size, self.root = opened(self.vkey, self.read("checkpoint"))

    def read(self, name):
        return self.files.read(self.at + name)

    def bundle(self, n):
        width = min(256, self.size - n * 256)
        return self.read(path("entries", n, width)), width

    def entry(self, index):
        return entries(*self.bundle(index // 256))[index % 256]

    def tree(self):
        """Every entry against its tile, every tile against those below it, the top against the
        checkpoint's root; how many tiles."""
        row = [leaves(*self.bundle(n)) for n in range((self.size + 255) // 256)]
        level = tiles = 0
        # Root of what lies right of the last full tile: smaller than one hash of the next level.
        rest = hashlib.sha256(b"").digest() if not row else b""
        while row:
            for n, tile in enumerate(row):
                assert self.read(path(level, n, len(tile) // 32)) == tile, "a tile differs"
            tiles += len(row)
            full = [tile for tile in row if len(tile) == 256 * 32]
            edge = b"".join(row[len(full) :]) + rest
            rest = root_of(edge) if edge else b""
            above = b"".join(root_of(tile) for tile in full)
            row = [above[at : at + 256 * 32] for at in range(0, len(above), 256 * 32)]
            level += 1
        assert rest == self.root, "the entries do not hash to the checkpoint's root"
        return tiles

    def inclusion(self):
        names = sorted((self.files.folder / self.at / "proofs").glob("*.tlog-proof"))
        for name in names:
            head, note = self.read(f"proofs/{name.name}").decode().split("\n\n", 1)
            kind, place, *hashes = head.split("\n")
            index = int(name.stem)
            assert (kind, place) == ("c2sp.org/tlog-proof@v1", f"index {index}"), "another place"
            under = opened(self.vkey, note.encode())
            assert under == (self.origin, self.size, self.root), "another checkpoint"
            proof = SimpleNamespace(
                log_index=index, tree_size=self.size, root_hash=self.root, hashes=[b64(h) for h in hashes]
            )
            inner = SimpleNamespace(inclusion_proof=proof, canonicalized_body=self.entry(index))
            merkle.verify_merkle_inclusion(SimpleNamespace(_inner=inner))
        return len(names)


def one(files):
    ledger = Ledger(files)
    assert ledger.origin == files.read("log.vkey").decode().split("+")[0], "not the log itself"
    tiles, proofs = ledger.tree(), ledger.inclusion()
    return f"ok: {ledger.size} entries, {tiles} tiles, {proofs} inclusion proofs"


def export(files):
    """Every ledger, and each of them the last that the root log states of it."""
    root = Ledger(files, "log/")
    tiles = root.tree()
    log = root.origin.encode()
    assert log == files.read("log.vkey").split(b"+")[0], "not the log itself"
    stated = {}
    for n in range(root.size):
        body = root.entry(n)
        stated[body.split(b"\n")[0]] = body
    places = [("house/", b"fairhold house\0")] if (files.folder / "house").is_dir() else []
    for folder in sorted((files.folder / "ledgers").iterdir()):
        places.append((f"ledgers/{folder.name}/", b"fairhold account\0" + unquote(folder.name).encode()))
    count = 0
    for place, whose in places:
        ledger = Ledger(files, place)
        tiles += ledger.tree()
        count += ledger.size
        origin = log + b"/" + hashlib.sha256(whose).hexdigest()[:32].encode()
        assert ledger.origin.encode() == origin, "another account's ledger"
        body = ledger.read("checkpoint").split(b"\n\n")[0] + b"\n"
        assert stated.get(origin) == body, "the root log does not end with this checkpoint"
    assert len(stated) == len(places), "a ledger is missing"
    return f"ok: {len(places)} ledgers of {count} entries under a root log of {root.size}, {tiles} tiles"


def flips(files, check, lines):
    made = refused = 0
    for line in lines:
        name, at, bit = line.split(" ")
        files.changed = {}
        data = bytearray(files.read(name))
        data[int(at)] ^= 1 << int(bit)
        files.changed = {name: bytes(data)}
        made += 1
        try:
            check(files)
            print("passed:", line, file=sys.stderr)
        except REFUSED:
            refused += 1
    assert made, "no flips"
    if made != refused:
        sys.exit(f"refused only {refused} of {made} flips")
    return f"refused {refused} of {made} flips"


files = Files(sys.argv[1])
check = export if (files.folder / "log").is_dir() else one
told = check(files)
print(f"{told}; {flips(files, check, Path(sys.argv[2]).read_text().splitlines())}" if len(sys.argv) > 2 else told)
