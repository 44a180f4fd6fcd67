#!/usr/bin/env python3
"""Leaf helpers leave x87, MMX and the guest's XMM registers, 0 to 7, alone: the object files that are compiled for that are disassembled.

    leaf_helpers.py ARCHIVE:MEMBER,MEMBER... ...
"""
import platform
import re
import shutil
import subprocess
import sys

if platform.machine() not in ("x86_64", "AMD64") or shutil.which("objdump") is None:
    print("skipped: needs objdump and an x86-64 host")
    sys.exit(77)

bad = 0
for argument in sys.argv[1:]:
    archive, _, names = argument.partition(":")
    wanted = {name + ".o" for name in names.split(",")}
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", archive], capture_output=True, text=True, check=True).stdout
    seen, member, function = set(), None, "?"
    for line in listing.splitlines():
        head = re.match(r"(\S+):\s+file format", line)
        if head:
            member = head.group(1)
            seen.add(member)
        label = re.match(r"[0-9a-f]+ <(.*)>:", line)
        if label:
            function = label.group(1)
        if member in wanted and re.search(r"%[xyz]?mm[0-7]\b|%st\b|\tf(ld|st|add|mul|xsave|xrstor)", line):
            print(f"{member}: {function}: {line.strip()}")
            bad += 1
    if wanted - seen:
        sys.exit(f"not in {archive}: {', '.join(sorted(wanted - seen))}")
    print(f"{len(wanted)} files of {archive.rsplit('/', 1)[-1]} looked at")
sys.exit(1 if bad else 0)
