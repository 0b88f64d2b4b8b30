"""Which bits to change: flips.py FOLDER OUT writes lines of NAME BYTE BIT. For one ledger OUT/every
(entries, tiles, checkpoint, proofs: Go, Python and we must refuse), OUT/go (consistency proofs too:
Go and we), OUT/stamp (the timestamp and what it is of: openssl and we) and OUT/ours (all of it, and
the rest of the timestamp); for all of a store's ledgers OUT/export alone.

openssl does not read a few bytes of a token that nobody signs, so its flips are those of what is
signed: the timestamp's content and the signature. Ours are anywhere in it."""
import hashlib
import random
import sys
from pathlib import Path

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
dice = random.Random(20_261)


def names(*patterns):
    return [str(p.relative_to(folder)) for pattern in patterns for p in sorted(folder.glob(pattern)) if p.is_file()]


def flip(name, places=None):
    places = places or range((folder / name).stat().st_size)
    return f"{name} {dice.choice(places)} {dice.randrange(8)}"


def some(count, files):
    return [flip(dice.choice(files)) for _ in range(count)]


def write(name, lines):
    (out / name).write_text("".join(line + "\n" for line in lines))


def store():
    entries = names("**/tile/entries/**/*")
    tiles = [name for name in names("**/tile/**/*") if name not in entries]
    write("export", some(80, entries) + some(80, tiles) + some(40, names("**/checkpoint")) + some(10, names("log/**/*")))


def ledger():
    entries = names("tile/entries/**/*")
    tiles = [name for name in names("tile/**/*") if name not in entries]
    high = [name for name in tiles if not name.startswith("tile/0/")]
    every = some(60, entries) + some(40, tiles) + some(20, high) + some(30, ["checkpoint"]) + some(60, names("proofs/*"))
    go = some(20, names("earlier/*.checkpoint")) + some(20, names("earlier/*.hashes"))
    token = (folder / "checkpoint.tsr").read_bytes()
    imprint = token.index(hashlib.sha256((folder / "checkpoint").read_bytes()).digest())
    signed = [*range(imprint - 24, imprint + 52), *range(len(token) - 250, len(token))]
    stamp = [flip("checkpoint.tsr", signed) for _ in range(160)] + some(40, ["checkpoint"])
    ours = some(40, ["checkpoint.tsr"])
    for name, lines in (("every", every), ("go", every + go), ("stamp", stamp), ("ours", every + go + stamp + ours)):
        write(name, lines)


store() if (folder / "log").is_dir() else ledger()
