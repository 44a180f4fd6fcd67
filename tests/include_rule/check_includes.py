#!/usr/bin/env python3
"""Checks that each folder includes only headers of the folders that it may see.

    check_includes.py TOP_FOLDER | --self-test
"""
import os
import re
import sys
import tempfile

# What a folder may see besides itself; what those may see is seen too.
MAY_SEE = {
    "memory/bus": [],
    "memory/host": ["memory/bus"],
    "memory": ["memory/host"],
    "cpu": ["memory"],
    "translator": ["cpu"],
    "devices": ["memory"],
    "roms": ["memory/host"],
    "frontend/machine": ["translator", "devices", "roms"],
    "frontend/gdb": ["frontend/machine"],
    "frontend": ["frontend/machine", "frontend/gdb"],
    "frontend/script": ["frontend"],
    "frontend/image": ["frontend"],
    "frontend/library": ["frontend"],
    "frontend/program": ["frontend/library"],
    "frontend/qmp": ["frontend/program"],
    "frontend/main": ["frontend/script", "frontend/image", "frontend/qmp"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def visible(folder):
    seen = {folder}
    for other in MAY_SEE[folder]:
        seen |= visible(other)
    return seen


def sources(top, folder):
    path = os.path.join(top, folder)
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        if name.endswith((".c", ".h", ".def")):
            yield os.path.join(folder, name)


def check(top):
    """Lists what breaks the rule, one line each."""
    home, problems = {}, []
    for folder in MAY_SEE:
        for path in sources(top, folder):
            name = os.path.basename(path)
            if name in home:
                problems.append(f"{path}: the name is taken by {home[name]}/{name}")
            home[name] = folder
    for folder in MAY_SEE:
        allowed = visible(folder)
        for path in sources(top, folder):
            with open(os.path.join(top, path), encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    match = INCLUDE.match(line)
                    if not match:
                        continue
                    name = match.group(1)
                    if "/" in name:
                        problems.append(f"{path}:{number}: '{name}' is a path; a header is included by its name")
                    elif name not in home:
                        problems.append(f"{path}:{number}: there is no header '{name}'")
                    elif home[name] not in allowed:
                        problems.append(f"{path}:{number}: {folder} must not see {home[name]}/{name}")
    return problems


def write(top, path, text):
    os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
    with open(os.path.join(top, path), "w", encoding="utf-8") as file:
        file.write(text)


def self_test():
    """A tree that keeps the rule passes, and each way of breaking it is found."""
    with tempfile.TemporaryDirectory() as top:
        write(top, "memory/bus/clock.h", "")
        write(top, "devices/uart.h", '#include "clock.h"\n')
        write(top, "cpu/cpu.h", "")
        write(top, "frontend/machine/machine.c", '#include "uart.h"\n#include "cpu.h"\n#include <stdio.h>\n')
        assert check(top) == [], check(top)
        write(top, "memory/bus/bad.c", '#include "cpu.h"\n')
        write(top, "devices/bad_too.c", '# include "../cpu/cpu.h"\n#include "nowhere.h"\n')
        write(top, "cpu/uart.h", "")
        write(top, "frontend/script/script.h", "")
        write(top, "frontend/main/main.c", '#include "script.h"\n#include "machine.h"\n')
        write(top, "frontend/program.c", '#include "script.h"\n')
        write(top, "frontend/machine/machine.h", "")
        assert len(check(top)) == 5, check(top)
    print("self-test passed")


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    problems = check(sys.argv[1])
    print("\n".join(problems) or "every folder includes only what it may see")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
