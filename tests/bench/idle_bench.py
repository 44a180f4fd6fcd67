#!/usr/bin/env python3
"""What a guest costs that waits at its prompt: the emulator's share of one processor."""
import argparse
import json
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
    if not os.path.exists(image):
        raise fetch_packages.PackageMissing(f"{image} is missing; REPRISE_GUESTS names its folder")
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


def measure_guests(args, scratch):
    """{guest: percents, ours first}; those that are not on this host are left out."""
    results = {}
    for name, guest in (("FreeDOS", dos), ("Linux", linux)):
        try:
            options, boot_seconds = guest(scratch)
        except fetch_packages.PackageMissing as reason:
            print(f"idle_bench.py: no {name}: {reason}", file=sys.stderr)
            continue
        programs = {"Reprise": args.emu}
        if args.reference != "none" and shutil.which(args.reference):
            programs["QEMU"] = args.reference
        results[name] = {title: measure(program, options, boot_seconds, args.seconds)
                         for title, program in programs.items()}
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"))
    parser.add_argument("--reference", default="qemu-system-i386", help="'none' for no comparison")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    results = measure_guests(args, os.path.join(os.path.dirname(args.emu), "guests"))
    if args.json:
        print(json.dumps({"percent": results}, indent=2))
        return
    print("| guest at its prompt | Reprise | QEMU |\n|---|---|---|")
    for name, percents in results.items():
        cells = [f"{percents[title]:.1f} %" if title in percents else "-"
                 for title in ("Reprise", "QEMU")]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
