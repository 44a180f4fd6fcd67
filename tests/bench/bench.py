#!/usr/bin/env python3
"""Compares the speed of Reprise and QEMU's TCG with the bare-metal programs of roms/bench.

Every image runs under both emulators with the same CPU model, interleaved, several rounds; the
figure is the median of the CPU seconds (user and system) of the emulator's process. What the
image `empty` takes, which is booting and reporting, is subtracted from both.
"""
import argparse
import json
import os
import re
import sys
import tempfile

from bench_common import (Run, add_arguments, choose_names, describe_problems, emulator_commands,
                          geometric_mean, host_description, parse_arguments, ratio, summarize)
from guest_process import run_to_end

OVERHEAD = "empty"
CHECKSUMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checksums.txt")
DISK_BYTES = 4 << 20
EXIT_DONE = 33  # roms/bench/report.inc: debug-exit value 16 << 1 | 1


def run_image(command, name, image, time_out):
    """Runs one image, with an empty hard disk; the program's line comes from the serial port on
    standard output."""
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(DISK_BYTES)
        argv = command + ["-m", "64", "-display", "none", "-net", "none", "-monitor", "none",
                          "-serial", "stdio", "-device", "isa-debug-exit", "-boot", "a",
                          "-drive", f"file={image},format=raw,if=floppy,snapshot=on",
                          "-drive", f"file={disk.name},format=raw,if=ide,snapshot=off"]
        return run_command(argv, name, time_out)


def run_command(argv, name, time_out):
    try:
        outcome = run_to_end(argv, time_out)
    except OSError as error:
        return Run(None, None, f"cannot be started: {error.strerror}")
    match = re.search(rf"^{name} checksum=([0-9A-F]{{8}}) done", outcome.output, re.MULTILINE)
    if outcome.timed_out:
        return Run(None, outcome.seconds, f"not done after {time_out} s")
    if not match or outcome.status != EXIT_DONE:
        last = (outcome.errors or outcome.output.strip() or "no output").splitlines()[-1]
        return Run(None, outcome.seconds, f"exit status {outcome.status}: {last}")
    return Run(match.group(1), outcome.seconds)


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


def compare_with_expected(rows, expected):
    """Marks the rows whose checksum is not the known one: every emulator has to get there."""
    for row in rows:
        found = set().union(*row["checksums"].values())
        row["mismatch"] |= found != {expected.get(row["name"])} or bool(row["problems"])


def add_ratios(rows, emulators):
    """Adds each row's ratio and returns their geometric mean, where there are two emulators."""
    for row in rows:
        row["ratio"] = None
        if row["name"] != OVERHEAD and len(emulators) == 2:
            row["ratio"] = ratio(row, emulators[1], emulators[0])
    return geometric_mean([row["ratio"] for row in rows if row["ratio"]])


def print_table(rows, mean, emulators):
    print(f"{'program':16}" + "".join(f"{emulator:>12}" for emulator in emulators)
          + f"{'ratio':>9}")
    for row in rows:
        cells = ""
        for emulator in emulators:
            seconds = row["seconds"][emulator]
            cells += f"{'-':>12}" if seconds is None else f"{seconds:10.3f} s"
        times = f"{row['ratio']:8.2f}x" if row["ratio"] else " " * 9
        print(f"{row['name']:16}{cells}{times}  {describe_problems(row)}".rstrip())
    if mean:
        ratios = [row["ratio"] for row in rows if row["ratio"]]
        print(f"geometric mean of {len(ratios)}: {mean:.2f}x as fast, lowest {min(ratios):.2f}x")


def find_names(folder, only):
    """The programs to run, the overhead first."""
    if not os.path.isdir(folder):
        sys.exit(f"bench.py: {folder} does not exist; build the project or give --images")
    names = sorted(f[:-4] for f in os.listdir(folder) if f.endswith(".img"))
    names.remove(OVERHEAD)
    return [OVERHEAD] + choose_names(names, only)


def read_expected(path, quick):
    """Lines of NAME FULL QUICK GROUP; returns {name: checksum} and {name: group}."""
    with open(path, encoding="ascii") as file:
        fields = [line.split() for line in file if not line.startswith("#")]
    return ({name: quick_sum if quick else full for name, full, quick_sum, _ in fields},
            {name: group for name, _, _, group in fields})


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, cpu="pentium3", rounds=5, time_out=120)
    parser.add_argument("--images", help="folder of the images (default: roms/bench beside EMU)")
    parser.add_argument("--expected", help="file of known checksums to compare with as well; then "
                        "a program that does not end counts as a mismatch")
    args = parse_arguments(parser)
    folder = args.images or os.path.join(os.path.dirname(os.path.abspath(args.emu)), "roms/bench")
    if args.quick:
        folder = os.path.join(folder, "quick")
    names = find_names(folder, args.only)
    commands = emulator_commands(args)
    progress = sys.stderr.isatty()
    results = measure(commands, names, folder, args.rounds, args.time_out, progress)
    rows = summarize(results, list(commands), OVERHEAD)
    if args.expected:
        compare_with_expected(rows, read_expected(args.expected, args.quick)[0])
    groups = read_expected(CHECKSUMS, args.quick)[1]
    for row in rows:
        row["group"] = groups.get(row["name"], "-")
    mean = add_ratios(rows, list(commands))
    if args.json:
        print(json.dumps({**host_description(args), "runners": list(commands), "programs": rows,
                          "geometric_mean": mean}, indent=2))
    else:
        print_table(rows, mean, list(commands))
    sys.exit(1 if any(row["mismatch"] for row in rows) else 0)


if __name__ == "__main__":
    main()
