#!/usr/bin/env python3
"""Compares the speed of Reprise and QEMU's TCG with the bare-metal programs of roms/bench.

Every image runs under both emulators with the same CPU model, interleaved, several rounds; the
figure is the median of the CPU seconds (user and system) of the emulator's process. What the
image `empty` takes, which is booting and reporting, is subtracted from both.
"""
import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OVERHEAD = "empty"
EXIT_DONE = 33  # roms/bench/report.inc: debug-exit value 16 << 1 | 1
LEAST_SECONDS = 0.001


class Run:
    """The outcome of one program under one emulator."""

    def __init__(self, checksum, seconds, problem):
        self.checksum = checksum
        self.seconds = seconds
        self.problem = problem


def run_image(command, name, image, time_out):
    """Runs one image; the program's line comes from the serial port on standard output."""
    argv = command + ["-m", "64", "-display", "none", "-net", "none", "-monitor", "none",
                      "-serial", "stdio", "-device", "isa-debug-exit", "-boot", "a", "-snapshot",
                      "-drive", f"file={image},format=raw,if=floppy"]
    error_file = tempfile.TemporaryFile()
    try:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=error_file)
    except OSError as error:
        return Run(None, None, f"cannot be started: {error.strerror}")
    # The processor time of one child comes from wait4 alone, so Popen.wait() is not used.
    timer = threading.Timer(time_out, process.kill)
    timer.start()
    output = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    timed_out = not timer.is_alive()
    timer.cancel()
    process.stdout.close()
    error_file.seek(0)
    errors = error_file.read().decode(errors="replace").strip()
    error_file.close()
    seconds = usage.ru_utime + usage.ru_stime
    match = re.search(rf"^{name} checksum=([0-9A-F]{{8}}) done", output, re.MULTILINE)
    if timed_out:
        return Run(None, seconds, f"not done after {time_out} s")
    if not match or process.returncode != EXIT_DONE:
        last = (errors or output.strip() or "no output").splitlines()[-1]
        return Run(None, seconds, f"exit status {process.returncode}: {last}")
    return Run(match.group(1), seconds, None)


def measure(commands, names, folder, rounds, time_out, progress):
    """Runs everything, interleaved. Returns {name: {emulator: [Run, ...]}}."""
    results = {name: {emulator: [] for emulator in commands} for name in names}
    for number in range(rounds):
        for name in names:
            for emulator, command in commands.items():
                runs = results[name][emulator]
                if runs and runs[-1].problem:
                    continue  # what failed once is not waited for again
                image = os.path.join(folder, name + ".img")
                runs.append(run_image(command, name, image, time_out))
                if progress:
                    print(f"\rround {number + 1} of {rounds}: {name:16}", end="", file=sys.stderr)
    if progress:
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return results


def median_seconds(runs):
    return None if runs[-1].problem else statistics.median(run.seconds for run in runs)


def summarize(results, emulators, expected):
    """One row a program: seconds without overhead, ratio, and what is wrong."""
    overhead = {e: median_seconds(results[OVERHEAD][e]) or 0.0 for e in emulators}
    rows = []
    for name, by_emulator in results.items():
        row = {"name": name, "seconds": {}, "checksums": {}, "problems": {}}
        for emulator in emulators:
            runs = by_emulator[emulator]
            total = median_seconds(runs)
            if name != OVERHEAD and total is not None:
                total = max(total - overhead[emulator], LEAST_SECONDS)
            row["seconds"][emulator] = total
            row["checksums"][emulator] = sorted({run.checksum for run in runs if run.checksum})
            if runs[-1].problem:
                row["problems"][emulator] = runs[-1].problem
        found = set().union(*row["checksums"].values())
        row["mismatch"] = len(found) > 1
        if expected is not None:
            # Every emulator has to get there, too.
            row["mismatch"] |= found != {expected.get(name)} or bool(row["problems"])
        seconds = [row["seconds"][emulator] for emulator in emulators]
        row["ratio"] = None
        if name != OVERHEAD and len(seconds) == 2 and None not in seconds:
            row["ratio"] = seconds[1] / seconds[0]
        rows.append(row)
    ratios = [row["ratio"] for row in rows if row["ratio"]]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None
    return rows, mean


def print_table(rows, mean, emulators):
    print(f"{'program':16}" + "".join(f"{emulator:>12}" for emulator in emulators)
          + f"{'ratio':>9}")
    for row in rows:
        cells = ""
        for emulator in emulators:
            seconds = row["seconds"][emulator]
            cells += f"{'-':>12}" if seconds is None else f"{seconds:10.3f} s"
        ratio = f"{row['ratio']:8.2f}x" if row["ratio"] else " " * 9
        note = "  CHECKSUMS DIFFER " + str(row["checksums"]) if row["mismatch"] else ""
        for emulator, problem in row["problems"].items():
            note += f"  {emulator}: {problem}"
        print(f"{row['name']:16}{cells}{ratio}{note}")
    if mean:
        ratios = [row["ratio"] for row in rows if row["ratio"]]
        print(f"geometric mean of {len(ratios)}: {mean:.2f}x as fast, lowest {min(ratios):.2f}x")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"),
                        help="the program to measure (default: %(default)s)")
    parser.add_argument("--accel", default="jit", help="its accelerator (default: jit)")
    parser.add_argument("--reference", default="qemu-system-i386",
                        help="the program to compare with; 'none' for no comparison")
    parser.add_argument("--cpu", default="pentium3", help="CPU model of both")
    parser.add_argument("--images", help="folder of the images (default: roms/bench beside EMU)")
    parser.add_argument("--quick", action="store_true", help="images with a sixteenth of the work")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="names of programs, separated by commas")
    parser.add_argument("--time-out", type=float, default=120, help="seconds for one run")
    parser.add_argument("--expected", help="file of known checksums to compare with as well; then "
                        "a program that does not end counts as a mismatch")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    return args


def find_names(folder, only):
    """The programs to run, the overhead first."""
    if not os.path.isdir(folder):
        sys.exit(f"bench.py: {folder} does not exist; build the project or give --images")
    names = sorted(f[:-4] for f in os.listdir(folder) if f.endswith(".img"))
    wanted = [name for name in only.split(",") if name]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        sys.exit(f"bench.py: no program {', '.join(unknown)}; there are {', '.join(names)}")
    names.remove(OVERHEAD)
    return [OVERHEAD] + [name for name in names if not wanted or name in wanted]


def read_expected(path, quick):
    """Lines of NAME FULL QUICK; returns {name: checksum}."""
    with open(path, encoding="ascii") as file:
        fields = [line.split() for line in file if not line.startswith("#")]
    return {name: quick_sum if quick else full for name, full, quick_sum in fields}


def main():
    args = parse_arguments()
    folder = args.images or os.path.join(os.path.dirname(os.path.abspath(args.emu)), "roms/bench")
    if args.quick:
        folder = os.path.join(folder, "quick")
    names = find_names(folder, args.only)
    # QEMU's own name for its translator; Reprise calls its backends jit and interp.
    accel = "tcg" if "qemu" in os.path.basename(args.emu) else args.accel
    commands = {f"emu {accel}": [args.emu, "-accel", accel, "-cpu", args.cpu]}
    if args.reference != "none":
        if not shutil.which(args.reference):
            sys.exit(f"bench.py: {args.reference} is not installed; --reference none does without")
        commands["qemu tcg"] = [args.reference, "-accel", "tcg", "-cpu", args.cpu]
    expected = read_expected(args.expected, args.quick) if args.expected else None
    progress = sys.stderr.isatty()
    results = measure(commands, names, folder, args.rounds, args.time_out, progress)
    rows, mean = summarize(results, list(commands), expected)
    if args.json:
        print(json.dumps({"programs": rows, "geometric_mean": mean}, indent=2))
    else:
        print_table(rows, mean, list(commands))
    sys.exit(1 if any(row["mismatch"] for row in rows) else 0)


if __name__ == "__main__":
    main()
