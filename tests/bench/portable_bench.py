#!/usr/bin/env python3
"""Compares the portable backend (-accel interp) with Bochs of Debian, by the bare-metal programs of roms/bench.

    tests/bench/portable_bench.py --emu build/release/reprise --images build/release/roms/bench/quick [--only sieve,sort] [--rounds 3]

The figure is the processor time that an emulator takes until the program has sent its checksum; what the image `empty` takes, which is
booting and reporting, is subtracted. Both must give the same checksum. Status 77: Bochs is missing."""
import argparse
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, "..", "bochs"))
import emulators  # noqa: E402

PROGRAMS = ["sieve", "sort", "recursion", "hash", "interpreter", "bignum", "strings", "shifts", "rings", "faults", "segments32",
            "address_spaces", "real_sieve", "real_sort", "real_checksum", "real_calls", "real_far", "real_text"]
MODEL = "corei7_haswell_4770"
SHORTEST = 0.05  # seconds; below, the start is most of it


def processor_seconds(process):
    """Of all its threads, by the clock of the process: finer than /proc's ticks."""
    return time.clock_gettime((~process.pid << 3) | 2)


def run(words, serial, name, seconds):
    """The program's checksum and the time until it was sent."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, TERM="xterm"))
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            used = processor_seconds(process)
            with open(serial, errors="replace", encoding="utf-8") as file:
                found = re.search(rf"{name} checksum=([0-9A-F]+) done", file.read())
            if found:
                return found.group(1), used
            time.sleep(0.005)
        raise TimeoutError(f"{name}: no checksum after {seconds} s by {words[0]}")
    finally:
        process.kill()
        process.wait()


def run_bochs(bochs, image, name, seconds):
    with tempfile.TemporaryDirectory(prefix="bochs-") as folder:
        serial, configuration, script = (os.path.join(folder, part) for part in ("serial", "rc", "commands"))
        text = emulators.BOCHS_CONFIGURATION.format(image=image, folder=folder).replace("megs: 32", "megs: 64")
        text = text.replace(f"model={emulators.BOCHS_MODEL}, ips=1000000", f"model={MODEL}, ips=100000000")
        text = text.replace("magic_break: enabled=1", f"com1: enabled=1, mode=file, dev={serial}")
        for path, content in ((configuration, text), (script, "c\n"), (serial, "")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        return run([bochs, "-q", "-f", configuration, "-rc", script], serial, name, seconds)


def run_reprise(program, image, name, seconds):
    with tempfile.TemporaryDirectory(prefix="reprise-") as folder:
        serial = os.path.join(folder, "serial")
        with open(serial, "w", encoding="utf-8"):
            pass
        return run([program, "-accel", "interp", "-m", "64", "-display", "none", "-net", "none", "-monitor", "none", "-serial", "file:" + serial,
                    "-boot", "a", "-drive", f"file={image},format=raw,if=floppy,snapshot=on"], serial, name, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--emu", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="fail where Bochs is the faster one, in the geometric mean")
    parser.add_argument("--time-out", type=float, default=120)
    arguments = parser.parse_args()
    try:
        bochs = emulators.find_bochs()
    except emulators.Missing as missing:
        print(f"skipped: {missing}")
        return 77
    names = ["empty", *(arguments.only.split(",") if arguments.only else PROGRAMS)]
    seconds, differ = {}, []
    for name in names:
        image = os.path.abspath(os.path.join(arguments.images, name + ".img"))
        runs = [(run_reprise(arguments.emu, image, name, arguments.time_out), run_bochs(bochs, image, name, arguments.time_out))
                for _ in range(arguments.rounds)]
        if len({checksum for pair in runs for checksum, _ in pair}) != 1:
            differ.append(name)
        seconds[name] = [statistics.median(pair[i][1] for pair in runs) for i in (0, 1)]
    print("| program | portable backend, s | Bochs, s | Bochs takes |\n|---|---|---|---|")
    ratios = []
    for name in names[1:]:
        own, other = (seconds[name][i] - seconds["empty"][i] for i in (0, 1))
        if min(own, other) < SHORTEST:
            print(f"| {name} | {own:.2f} | {other:.2f} | too short to say |")
            continue
        ratios.append(other / own)
        print(f"| {name} | {own:.2f} | {other:.2f} | {other / own:.2f} |")
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"| geometric mean | | | {mean:.2f} |")
    for name in differ:
        print(f"{name}: checksums differ", file=sys.stderr)
    return 1 if differ or (arguments.check and mean < 1) else 0


if __name__ == "__main__":
    sys.exit(main())
