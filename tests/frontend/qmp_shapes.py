#!/usr/bin/env python3
"""Each 'query-' command that both know is asked of QEMU and of this program, with the same machine: answers have the same members,
of the same types, but for those listed here. Skipped without qemu-system-i386."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from emulator import need_firmware, skip
from qmp_client import Qmp, QmpError

PROGRAM = os.path.abspath(sys.argv[1])
QEMU = "qemu-system-i386"

# Members that are QEMU's alone, or may be left out by its schema; a path ends anywhere.
MISSING = [
    "query-block[].inserted.image.backing-image",  # the overlay of -snapshot is a file of QEMU's
    "query-block[].inserted.image.cluster-size", "query-block[].inserted.image.format-specific", "query-block[].inserted.backing_file",
    "query-named-block-nodes[].image.backing-image", "query-named-block-nodes[].image.cluster-size", "query-named-block-nodes[].backing_file",
    "query-named-block-nodes[].image.format-specific", "query-named-block-nodes[].image.dirty-flag",
    "query-named-block-nodes[].image.full-backing-filename",
    "query-blockstats[].parent.node-name", "query-blockstats[].parent.driver-specific", "query-blockstats[].backing",
    "query-command-line-options[].parameters[].help", "query-command-line-options[].parameters[].default", "query-machines[].default-cpu-type", "query-memory-size-summary.plugged-memory",
    "query-migrate-parameters.", "query-vnc.clients", "query-cpu-definitions[].alias-of", "query-cpu-definitions[].unavailable-features[]",
]
# Commands without arguments that ask for nothing that is told.
LEFT_OUT = {"query-qmp-schema", "query-commands"}


def start(program, folder, name):
    path = os.path.join(folder, name)
    nodes = ({"driver": "file", "filename": os.path.join(folder, "disk.qcow2"), "node-name": "file0"},
             {"driver": "qcow2", "file": "file0", "node-name": "disk0"})
    command = [program, "-S", "-display", "none", "-m", "32", "-name", "x", "-uuid", "11dbdcdd-4c3b-482b-8903-9bdb8c0a2774", "-snapshot"]
    for node in nodes:
        command += ["-blockdev", json.dumps(node)]
    command += ["-drive", f"file={folder}/floppy.img,if=floppy,format=raw", "-drive", f"file={folder}/cd.iso,media=cdrom,format=raw,id=cd,if=none",
                "-device", "ide-hd,drive=disk0,id=hd0,bus=ide.0,unit=0", "-device", "ide-cd,drive=cd,id=cd0,bus=ide.1", "-vnc",
                f"unix:{path}.vnc", "-netdev", "user,id=n0", "-device", "e1000,netdev=n0,id=net0", "-serial", "null", "-vga", "std",
                "-qmp", f"unix:{path},server=on,wait=off"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, Qmp(path)


def ask(program, folder, name):
    """All answers by command; errors by their class."""
    process, qmp = start(program, folder, name)
    answers = {}
    try:
        for entry in qmp.call("query-commands"):
            command = entry["name"]
            if not command.startswith("query-") or command in LEFT_OUT:
                continue
            try:
                answers[command] = qmp.call(command)
            except QmpError as error:
                answers[command] = error.error_class
    finally:
        process.kill()
        process.wait()
    return answers


def shapes(value, path, found):
    """The paths of all members with their types; those of a list's entries are one."""
    kind = {bool: "bool", int: "int", str: "str", dict: "object", list: "list"}.get(type(value), str(type(value)))
    found.setdefault(path, set()).add(kind)
    if isinstance(value, dict):
        for key, member in value.items():
            shapes(member, f"{path}.{key}", found)
    elif isinstance(value, list):
        for member in value:
            shapes(member, path + "[]", found)
    return found


def main():
    need_firmware()
    if not shutil.which(QEMU) or not shutil.which("qemu-img"):
        skip("no " + QEMU)
    with tempfile.TemporaryDirectory() as folder:
        for name, size in (("floppy.img", 1474560), ("cd.iso", 65536)):
            with open(os.path.join(folder, name), "wb") as file:
                file.truncate(size)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", os.path.join(folder, "disk.qcow2"), "1M"], check=True)
        theirs, ours = ask(QEMU, folder, "qemu"), ask(PROGRAM, folder, "own")
    common = sorted(set(theirs) & set(ours))
    wrong = []
    for command in common:
        wanted, had = shapes(theirs[command], command, {}), shapes(ours[command], command, {})
        for path, kinds in wanted.items():
            if path in had:
                wrong += [f"{path}: {sorted(had[path])}, QEMU {sorted(kinds)}"] if not had[path] <= kinds else []
            elif not any(path.startswith(known) for known in MISSING) and path.rpartition(".")[0].removesuffix("[]") in had:
                wrong.append(f"{path}: missing")
    for line in wrong:
        print("FAIL " + line)
    print(f"{len(common)} commands alike, {len(wrong)} failures")
    return 1 if wrong or len(common) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
