"""Does openssl accept a ledger's timestamp, and refuse it with single bits changed?
Usage: stamp.py FOLDER ROOT.pem [FLIPS]; FLIPS as in flips.py."""
import subprocess
import sys
import tempfile
from pathlib import Path

folder, root = Path(sys.argv[1]), sys.argv[2]


def holds(token, checkpoint):
    told = subprocess.run(
        ["openssl", "ts", "-verify", "-in", token, "-data", checkpoint, "-CAfile", root], capture_output=True, text=True
    )
    assert told.returncode in (0, 1), told
    return told.returncode == 0


good = [folder / "checkpoint.tsr", folder / "checkpoint"]
if not holds(*good):
    sys.exit("openssl refuses the timestamp")
told = "ok: timestamp"
if len(sys.argv) > 3:
    made = refused = 0
    for line in Path(sys.argv[3]).read_text().splitlines():
        name, at, bit = line.split(" ")
        with tempfile.TemporaryDirectory() as changed:
            data = bytearray((folder / name).read_bytes())
            data[int(at)] ^= 1 << int(bit)
            (Path(changed) / name).write_bytes(data)
            made += 1
            if holds(*(Path(changed) / file.name if file.name == name else file for file in good)):
                print("passed:", line, file=sys.stderr)
            else:
                refused += 1
    if made != refused or not made:
        sys.exit(f"refused only {refused} of {made} flips")
    told += f"; refused {refused} of {made} flips"
print(told)
