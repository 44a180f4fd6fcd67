#!/usr/bin/env python3
"""What it takes to start: time, processor time and memory of Reprise and of QEMU's TCG.

first instruction  from the start of the emulator to a byte that the first instructions of a ROM send
tiny kernel        from its start to its end, with a Multiboot kernel that does nothing but end it
Linux              memory beyond the guest's own, when Debian's kernel has booted to a shell

Times are medians and, as a busy host only ever adds to them, the least, in milliseconds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from bench_common import add_arguments, emulator_commands, host_description, parse_arguments
from boot_bench import COMMON, EXIT_DONE, LinuxShell, Missing
from guest_process import GuestLost, GuestProcess, run_to_end

MEMORY_MEGABYTES = 128  # of the guest LinuxShell


def first_instruction(command, rom, time_out):
    """Seconds to the ROM's byte."""
    argv = command + COMMON + ["-m", "32", "-serial", "stdio", "-device", "isa-debug-exit",
                               "-bios", rom]
    start = time.monotonic()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        byte = process.stdout.read(1)
        seconds = time.monotonic() - start
        status = process.wait(time_out)
    if byte != b"!" or status != EXIT_DONE:
        raise GuestLost(f"the ROM sent {byte}, exit status {status}")
    return seconds


def tiny_kernel(command, kernel, time_out):
    argv = command + COMMON + ["-m", "32", "-serial", "null", "-device", "isa-debug-exit",
                               "-kernel", kernel]
    outcome = run_to_end(argv, time_out)
    if outcome.timed_out or outcome.status != EXIT_DONE:
        raise GuestLost(f"exit status {outcome.status}: {outcome.errors[-200:]}")
    return outcome


def linux_memory(command, scratch, time_out):
    """Megabytes beyond the guest's own; None without Debian's packages."""
    try:
        options = LinuxShell(scratch).options
    except Missing as reason:
        print(f"start_bench.py: no Linux: {reason}", file=sys.stderr)
        return None
    with GuestProcess(command + COMMON + options, time_out) as guest:
        guest.read_until(b"# ")
        guest.go_on("echo shell $((6 * 7))")
        guest.read_until(b"shell 42")
        return guest.memory_kilobytes(MEMORY_MEGABYTES) / 1024


def milliseconds(values):
    return {"median": 1000 * statistics.median(values), "least": 1000 * min(values)}


def measure(commands, folder, args):
    """{runner: {what: figures}}."""
    starts = {runner: [] for runner in commands}
    kernels = {runner: [] for runner in commands}
    for _ in range(args.rounds):
        for runner, command in commands.items():
            starts[runner].append(first_instruction(
                command, os.path.join(folder, "first_instruction.rom"), args.time_out))
            kernels[runner].append(tiny_kernel(
                command, os.path.join(folder, "tiny_kernel.bin"), args.time_out))
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        for runner, command in commands.items():
            results[runner] = {
                "first instruction, ms": milliseconds(starts[runner]),
                "tiny kernel, ms": milliseconds([run.real_seconds for run in kernels[runner]]),
                "tiny kernel, CPU ms": milliseconds([run.seconds for run in kernels[runner]]),
                "tiny kernel, peak MB": {"median": statistics.median(
                    run.peak_kilobytes for run in kernels[runner]) / 1024},
            }
            if not args.quick:
                results[runner]["Linux, MB beyond the guest's"] = {
                    "median": linux_memory(command, scratch, args.time_out)}
    return results


def print_markdown(results):
    runners = list(results)
    print("| what | " + " | ".join(runners) + " |\n|" + "---|" * (len(runners) + 1))
    for what in results[runners[0]]:
        cells = []
        for runner in runners:
            figures = results[runner][what]
            cell = "-" if figures["median"] is None else f"{figures['median']:.1f}"
            cells.append(cell + (f" (least {figures['least']:.1f})" if "least" in figures else ""))
        print(f"| {what} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, cpu="pentium3", rounds=15, time_out=120)
    parser.add_argument("--images", help="folder of the ROM and the kernel (default: "
                        "roms/bench/start beside EMU)")
    args = parse_arguments(parser)
    folder = args.images or os.path.join(os.path.dirname(os.path.abspath(args.emu)),
                                         "roms/bench/start")
    commands = emulator_commands(args)
    try:
        results = measure(commands, folder, args)
    except (GuestLost, OSError) as reason:
        sys.exit(f"start_bench.py: {reason}")
    if args.json:
        print(json.dumps({**host_description(args), "runners": list(commands), "results": results},
                         indent=2))
    else:
        print_markdown(results)


if __name__ == "__main__":
    main()
