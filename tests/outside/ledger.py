"""Checks a ledger's files (C2SP tlog-tiles) with nothing of the program that wrote them: PyPI
`sigstore`'s Merkle verifier and `cryptography`. Usage: ledger.py FOLDER [FLIPS]; a line of FLIPS
is NAME BYTE BIT, and with that bit of that file changed the check must refuse."""
import base64
import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

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


class Ledger:
    def __init__(self, folder):
        self.folder, self.changed, self.kept = Path(folder), {}, {}

    def read(self, name):
        if name in self.changed:
            return self.changed[name]
        if name not in self.kept:
            self.kept[name] = (self.folder / name).read_bytes()
        return self.kept[name]

    def open(self, note):
        """The size and root of a checkpoint that the log's key signed."""
        name, key_id, key = self.read("log.vkey").decode().split("+", 2)
        key = b64(key)
        want = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
        assert key[0] == 1 and want.hex() == key_id, "not the key of its id"
        text, line = note.decode().split("\n\n")
        dash, signer, signature = line.removesuffix("\n").split(" ")
        assert line.endswith("\n") and dash == "\u2014" and signer == name, "not signed by the log"
        signature = b64(signature)
        assert signature[:4] == want, "another key"
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], (text + "\n").encode())
        origin, size, root = text.split("\n")
        assert origin == name, "another log"
        return int(size), b64(root)

    def check(self):
        size, root = self.open(self.read("checkpoint"))
        entries = []
        for n in range(0, (size + 255) // 256):
            width = min(256, size - n * 256)
            data, at = self.read(path("entries", n, width)), 0
            before = len(entries)
            while at < len(data):
                length = int.from_bytes(data[at : at + 2], "big")
                assert at + 2 + length <= len(data), "an entry is cut short"
                entries.append(data[at + 2 : at + 2 + length])
                at += 2 + length
            assert len(entries) - before == width, "not as many entries as the place says"
        # Every complete subtree, level by level; the tiles are every eighth level.
        rows = [[merkle._hash_leaf(entry) for entry in entries]]
        while len(rows[-1]) > 1:
            low = rows[-1]
            rows.append([merkle._hash_children(a, b) for a, b in zip(low[::2], low[1::2])])
        tiles = 0
        for level, row in enumerate(rows[::8]):
            for n in range(0, (len(row) + 255) // 256):
                part = row[n * 256 : n * 256 + 256]
                assert self.read(path(level, n, len(part))) == b"".join(part), "a tile differs"
                tiles += 1
        edge = [row[-1] for row in rows if len(row) % 2]
        computed = edge[0]
        for left in edge[1:]:
            computed = merkle._hash_children(left, computed)
        assert computed == root, "the entries do not hash to the checkpoint's root"
        proofs = self.inclusion(size, root, entries)
        return f"ok: {size} entries, {tiles} tiles, {proofs} inclusion proofs"

    def inclusion(self, size, root, entries):
        names = sorted((self.folder / "proofs").glob("*.tlog-proof"))
        for name in names:
            head, note = self.read(f"proofs/{name.name}").decode().split("\n\n", 1)
            kind, place, *hashes = head.split("\n")
            index = int(name.stem)
            assert (kind, place) == ("c2sp.org/tlog-proof@v1", f"index {index}"), "another place"
            assert self.open(note.encode()) == (size, root), "another checkpoint"
            proof = SimpleNamespace(log_index=index, tree_size=size, root_hash=root, hashes=[b64(h) for h in hashes])
            inner = SimpleNamespace(inclusion_proof=proof, canonicalized_body=entries[index])
            merkle.verify_merkle_inclusion(SimpleNamespace(_inner=inner))
        return len(names)

    def flips(self, lines):
        made = refused = 0
        for line in lines:
            name, at, bit = line.split(" ")
            self.changed = {}
            data = bytearray(self.read(name))
            data[int(at)] ^= 1 << int(bit)
            self.changed = {name: bytes(data)}
            made += 1
            try:
                self.check()
                print("passed:", line, file=sys.stderr)
            except REFUSED:
                refused += 1
        if made != refused:
            sys.exit(f"refused only {refused} of {made} flips")
        return f"refused {refused} of {made} flips"


ledger = Ledger(sys.argv[1])
print(ledger.flips(Path(sys.argv[2]).read_text().split("\n")[:-1]) if len(sys.argv) > 2 else ledger.check())
