#!/usr/bin/env python3
"""What a guest costs that waits at its prompt: the emulator's share of one processor."""
import argparse
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "guests"))

import fetch_packages  # noqa: E402
import initramfs  # noqa: E402

REPOSITORY = os.path.dirname(os.path.dirname(HERE))
GUESTS = os.environ.get("REPRISE_GUESTS", os.path.join(REPOSITORY, "..", "shared", "guests"))
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def dos(_):
    """Options, and after how many seconds it is at its prompt."""
    image = os.path.join(GUESTS, "freedos-1440.img")
    return ["-m", "16", "-drive", f"file={image},format=raw,if=floppy,snapshot=on"], 10


def linux(folder):
    os.makedirs(folder, exist_ok=True)
    image = initramfs.build(os.path.join(folder, "idle-initramfs"), "686", script="exec sh\n")
    return ["-m", "128", "-kernel", fetch_packages.kernel_image("686"), "-initrd", image,
            "-append", "console=ttyS0"], 25


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def measure(program, options, boot_seconds, seconds):
    """Percent of one processor."""
    command = [program, *options, "-display", "none", "-serial", "null", "-monitor", "none"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        time.sleep(boot_seconds)
        before = cpu_seconds(process)
        time.sleep(seconds)
        used = cpu_seconds(process) - before
        process.kill()
    return 100 * used / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"))
    parser.add_argument("--reference", default="qemu-system-i386", help="'none' for no comparison")
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    scratch = os.path.join(os.path.dirname(args.emu), "guests")
    print("| guest at its prompt | Reprise | QEMU |\n|---|---|---|")
    for name, guest in (("FreeDOS", dos), ("Linux", linux)):
        try:
            options, boot_seconds = guest(scratch)
        except fetch_packages.PackageMissing as reason:
            print(f"| {name} | skipped: {reason} | |")
            continue
        ours = measure(args.emu, options, boot_seconds, args.seconds)
        other = "-"
        if args.reference != "none" and shutil.which(args.reference):
            other = f"{measure(args.reference, options, boot_seconds, args.seconds):.1f} %"
        print(f"| {name} | {ours:.1f} % | {other} |", flush=True)


if __name__ == "__main__":
    main()
