#!/usr/bin/env python3
"""Counts the host instructions of whole runs on AArch64 beside those on x86-64, both by QEMU's user mode with the plug-in
count_instructions.c: of translated code, and of everything.

    tests/hosts/count_instructions.py PROGRAM AARCH64_PROGRAM IMAGES [NAME ...]

PROGRAM is this host's, which is an x86-64, AARCH64_PROGRAM that of the preset aarch64, IMAGES the folder roms/bench/quick of a build;
NAMEs are some of its programs. What the program `empty` takes, which is booting and reporting, is subtracted. Takes some ten seconds a
program. Status 77: QEMU's user mode with plug-ins is missing (Debian: apt-get install --no-install-recommends qemu-user, which lies
beside qemu-user-static)."""
import math
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fetch_libraries import library_folder  # noqa: E402

PLUGIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "count_instructions.c")
OPTIONS = ("-icount shift=3 -cpu pentium3 -m 64 -display none -net none -monitor none -serial stdio "
           "-device isa-debug-exit -boot a -drive format=raw,if=floppy,snapshot=on,file=").split()
TIME_OUT = 300


def emulators(programs):
    """The words before the options: of x86-64, of AArch64. A plug-in is still to be named behind the first."""
    libraries = os.path.join(library_folder("aarch64"), "usr", "lib", "aarch64-linux-gnu")
    words = (["qemu-x86_64", "-cpu", "max", programs[0]],
             ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-E", "LD_LIBRARY_PATH=" + libraries, programs[1]])
    for command in words:
        if not shutil.which(command[0]):
            print(f"skipped: {command[0]} is missing")
            sys.exit(77)
    return words


def count(command, image, folder):
    """-> the last word of what the guest reports, instructions of translated code, and in all."""
    result = os.path.join(folder, "counts")
    words = [command[0], "-plugin", f"{folder}/count.so,out={result}", *command[1:], *OPTIONS]
    words[-1] += image
    output = subprocess.run(words, capture_output=True, text=True, timeout=TIME_OUT).stdout
    with open(result, encoding="ascii") as file:
        everything, translated = map(int, file.read().split())
    checksum = [word for word in output.split() if word.startswith("checksum=")]
    if not checksum:
        sys.exit(f"FAIL {image}: {output}")
    return checksum[-1], translated, everything


def main():
    images = sys.argv[3]
    names = sys.argv[4:] or sorted(file[:-4] for file in os.listdir(images) if file.endswith(".img"))
    commands = emulators(sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", os.path.join(folder, "count.so"), PLUGIN], check=True)
        empty = [count(command, os.path.join(images, "empty.img"), folder) for command in commands]
        logarithms = [0.0, 0.0]
        names = [name for name in names if name != "empty"]
        print("Millions of instructions, x86-64 : AArch64, and how many times as many:\n")
        print("| program | translated code | | everything | |\n|---|---|---|---|---|")
        for name in names:
            ours, theirs = [count(command, os.path.join(images, name + ".img"), folder) for command in commands]
            if ours[0] != theirs[0]:
                sys.exit(f"FAIL {name}: {theirs[0]} on AArch64, {ours[0]} on x86-64")
            pairs = [(ours[i] - empty[0][i], theirs[i] - empty[1][i]) for i in (1, 2)]
            ratios = [b / a for a, b in pairs]
            logarithms = [a + math.log(b) for a, b in zip(logarithms, ratios)]
            cells = [f"{a / 1e6:.1f} : {b / 1e6:.1f} | {b / a:.2f}" for a, b in pairs]
            print(f"| {name} | {cells[0]} | {cells[1]} |", flush=True)
    means = [math.exp(value / len(names)) for value in logarithms]
    print(f"| geometric mean of {len(names)} | | {means[0]:.2f} | | {means[1]:.2f} |")


if __name__ == "__main__":
    main()
