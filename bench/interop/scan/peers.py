"""What picklescan and modelscan say of the files that bypasses.ts wrote: `python peers.py FOLDER`.

A file counts as seen when the scanner's command leaves with a code other than 0. Pinned in peers.txt.
"""

import pathlib
import subprocess
import sys

bin = pathlib.Path(sys.executable).parent
files = sorted(pathlib.Path(sys.argv[1]).iterdir())
for title, command in (("picklescan", ["picklescan", "--path"]), ("picklescan --strict", ["picklescan", "--strict", "--path"]), ("modelscan", ["modelscan", "--path"])):
    seen = {file.name: subprocess.run([bin / command[0], *command[1:], file], capture_output=True).returncode != 0 for file in files}
    for verdict in ("malicious", "suspicious", "unreadable"):
        mine = {name: good for name, good in seen.items() if name.startswith(verdict)}
        print(f"{title}: {sum(mine.values())} of {len(mine)} {verdict}")
        if verdict == "malicious":
            print("".join(f"  missed {name}\n" for name, good in mine.items() if not good), end="")
