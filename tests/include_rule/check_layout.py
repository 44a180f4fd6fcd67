#!/usr/bin/env python3
"""Checks that the repository holds what the layout says and nothing else: files that a test or a
debugging session left behind are found before they are committed, and after.

    check_layout.py TOP_FOLDER
"""
import re
import subprocess
import sys

TOP = {"CMakeLists.txt", "CMakePresets.json", "README.md", "ARCHITECTURE.md", "LICENSE", "run", "test", ".ci",
       "cpu", "translator", "memory", "devices", "frontend", "tests", "roms", ".clang-format", ".gitignore"}
MADE = (".pyc", ".o", ".a", ".log", ".orig", ".rej")  # by tools, out of what is here
NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def find_faults(paths):
    for path in paths:
        parts = path.split("/")
        if parts[0] not in TOP:
            yield f"{path!r} does not belong into the top folder"
        elif not all(NAME.fullmatch(part) for part in parts):
            yield f"{path!r} has a name that no source has"
        elif len(parts) > 1 and "." not in parts[-1] and path != ".ci/run":
            yield f"{path!r} has no ending that says what it is"
        elif path.endswith(MADE):
            yield f"{path!r} is made by a tool"


def main():
    listing = subprocess.run(["git", "-C", sys.argv[1], "ls-files", "-z"], capture_output=True, check=False)
    if listing.returncode != 0:
        print("skipped: not a git repository")
        sys.exit(77)
    planted = list(find_faults(["README.md", "tests/%n", "node1", "cpu/type", "tests/cpu/test_a20.c", "tests/__pycache__/vm.pyc"]))
    assert len(planted) == 4, planted
    faults = list(find_faults(listing.stdout.decode().split("\0")[:-1]))
    for fault in faults:
        print("FAIL " + fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
