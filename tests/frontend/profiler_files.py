#!/usr/bin/env python3
"""-perfmap and -jitdump: files that name translated code, as the host's perf reads them.

    profiler_files.py PROGRAM
"""
import os
import platform
import re
import struct
import subprocess
import sys
import tempfile

if platform.machine() not in ("x86_64", "AMD64"):
    print("skipped: nothing is translated on this host")
    sys.exit(77)

PROGRAM = os.path.abspath(sys.argv[1])
SCRIPT = 'local m = machine("-m", "4", "-perfmap", "-jitdump")\nm:wait(0.05)\n'
HEADER, LOAD = struct.Struct("<IIIIIIQQ"), struct.Struct("<IIQIIQQQQ")


def read_jit_dump(path):
    """[(address, name, code)] of all its records."""
    with open(path, "rb") as file:
        data = file.read()
    magic, version, size, machine = HEADER.unpack_from(data)[:4]
    assert (magic, version, size, machine) == (0x4A695444, 1, 40, 62), "its head"
    loads, at = [], size
    while at < len(data):
        kind, record_size, _, _, _, address, _, code_size, index = LOAD.unpack_from(data, at)
        assert kind == 0 and index == len(loads), f"record {len(loads)}"
        name, _, code = data[at + LOAD.size:at + record_size].partition(b"\0")
        assert len(code) == code_size, f"code of {name}"
        loads.append((address, name.decode(), code))
        at += record_size
    return loads


with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "short.lua"), "w", encoding="utf-8") as script:
        script.write(SCRIPT)
    with subprocess.Popen([PROGRAM, "test", "short.lua"], cwd=folder, stdout=subprocess.DEVNULL) as process:
        assert process.wait() == 0
    perf_map = f"/tmp/perf-{process.pid}.map"
    with open(perf_map, encoding="ascii") as file:
        lines = [line.split() for line in file]
    os.unlink(perf_map)
    loads = read_jit_dump(os.path.join(folder, f"jit-{process.pid}.dump"))
    assert [(int(start, 16), name) for start, _, name in lines] == [load[:2] for load in loads]
    assert loads[0][1] == "reprise_trampolines"
    names = [name for _, name, _ in loads[1:]]
    assert len(names) > 100 and all(re.fullmatch(r"guest_[0-9A-F]{8}_at_[0-9A-F]{8}", name) for name in names)
    assert "guest_FFFFFFF0_at_0000FFF0" in names, "the reset vector"
    refused = subprocess.run([PROGRAM, "-accel", "interp", "-perfmap", "-display", "none"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "-accel jit" in refused.stderr, refused
    print(f"ok   {len(loads)} translations in both files")
