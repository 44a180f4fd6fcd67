#!/usr/bin/env python3
"""Lets a guest run for long whose code changes all the time: neither memory nor speed may suffer.

The program programs/changing_code.c runs in Linux. After each interval a line tells how many rounds
it did to a second of the emulator's processor time, and the memory beyond the guest's own. The exit
status is 1 where the last third of the intervals needs more memory than the second third, beyond
GROWTH, or is slower, beyond SLOWING.
"""
import argparse
import json
import os
import select
import statistics
import sys
import tempfile
import time
import typing

import linux_bench
from bench_common import add_arguments, emulator_commands, parse_arguments
from guest_process import GuestLost

PROGRAM = "changing_code"
MEMORY_MEGABYTES = 128  # of linux_bench.Guest
GROWTH = 4.0  # megabytes
SLOWING = 0.75  # hosts are not quiet
SKIPPED = 77


class Interval(typing.NamedTuple):
    rounds: int
    seconds: float  # of processor time
    megabytes: float


def count_rounds(guest, end):
    """The rounds that the program reports until the time `end`."""
    rounds = 0
    while time.monotonic() < end:
        if select.select([guest.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
            data = os.read(guest.process.stdout.fileno(), 65536)
            if not data:
                guest.fail("it ended")
            guest.log = data
            rounds += data.count(b"\n")
    return rounds


def soak(guest, intervals, interval_seconds, report):
    guest.boot()
    guest.wait_for(f"start {PROGRAM}")
    guest.go_on()
    results = []
    report("| interval | rounds a CPU second | MB beyond the guest's |\n|---|---|---|")
    for number in range(intervals):
        before = guest.seconds()
        rounds = count_rounds(guest, time.monotonic() + interval_seconds)
        results.append(Interval(rounds, guest.seconds() - before,
                                guest.memory_kilobytes(MEMORY_MEGABYTES) / 1024))
        report(f"| {number + 1} | {rounds / results[-1].seconds:.2f} "
               f"| {results[-1].megabytes:.1f} |")
    return results


def compare_thirds(results):
    """The last third of the intervals against the second: (megabytes more, times the speed)."""
    third = len(results) // 3
    if third == 0:
        return 0.0, 1.0 if all(result.rounds for result in results) else 0.0
    middle, last = results[third:2 * third], results[-third:]

    def speed(part):
        return statistics.median(result.rounds / result.seconds for result in part)
    growth = max(result.megabytes for result in last) - max(result.megabytes for result in middle)
    return growth, speed(last) / speed(middle) if speed(middle) else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, cpu="qemu32", rounds=1, time_out=120)
    parser.add_argument("--soak", type=float, default=60, metavar="MINUTES",
                        help="how long (default: %(default)s)")
    parser.add_argument("--interval", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--programs", help="folder of the programs (default: "
                        "tests/bench/programs beside EMU)")
    args = parse_arguments(parser)
    folder = args.programs or os.path.join(os.path.dirname(os.path.abspath(args.emu)),
                                           "tests/bench/programs")
    try:
        kernel = linux_bench.fetch_packages.kernel_image("686")
    except linux_bench.fetch_packages.PackageMissing as reason:
        print(f"soak_bench.py: {reason}", file=sys.stderr)
        sys.exit(SKIPPED)
    system = linux_bench.System(kernel, "console=ttyS0 quiet", args.time_out)
    command = list(emulator_commands(args).values())[0]
    with tempfile.TemporaryDirectory() as scratch:
        archive = os.path.join(scratch, "initramfs")
        linux_bench.write_initramfs(archive, folder,
                                    {PROGRAM: os.path.join(folder, "soak", PROGRAM)})
        try:
            with linux_bench.Guest(command, system, archive, f" -- 16 {PROGRAM}") as guest:
                results = soak(guest, max(1, round(args.soak * 60 / args.interval)), args.interval,
                               lambda line: args.json or print(line, flush=True))
        except GuestLost as reason:
            sys.exit(f"soak_bench.py: {reason}")
    growth, speed = compare_thirds(results)
    if args.json:
        print(json.dumps({"intervals": [result._asdict() for result in results],
                          "growth": growth, "speed": speed}, indent=2))
    else:
        print(f"\nlast third against the second: {growth:+.1f} MB, {speed:.2f} times the speed")
    sys.exit(0 if growth <= GROWTH and speed >= SLOWING else 1)


if __name__ == "__main__":
    main()
