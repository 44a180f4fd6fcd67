#!/usr/bin/env python3
"""Compares the speed of Reprise, QEMU's TCG and the host itself with programs inside Linux.

Both emulators boot Debian's i386 kernel (tests/guests/fetch_packages.py) with the programs of
tests/bench/programs and stand side by side: each program runs in one while the other waits. The
figure is the median of the CPU seconds that the emulator's process takes from the program's start
to its end, less those of an empty program; for `boot`, from the start of the emulator to that of
the first process. On x86 hosts the same files run natively, too.
"""
import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import typing

from bench_common import (REPOSITORY, Run, add_arguments, choose_names, describe_problems,
                          emulator_commands, geometric_mean, host_description, parse_arguments,
                          ratio, summarize)
from guest_process import GuestLost, GuestProcess

sys.path.insert(0, os.path.join(REPOSITORY, "tests/guests"))
import fetch_packages  # pylint: disable=wrong-import-position
import initramfs  # pylint: disable=wrong-import-position

BOOT = "boot"
OVERHEAD = "empty_program"
NATIVE = "native"
CLASSES = ["integer", "memory", "x87", "sse", "packed", "code", "system"]
GROUPS = {**{kind: kind for kind in CLASSES}, "x87": "float", "sse": "float", "packed": "float"}
FULL_SCALE = 16
SKIPPED = 77


class System(typing.NamedTuple):
    """What all guests have in common."""
    kernel: str
    append: str  # the kernel's command line
    time_out: float


class Guest(GuestProcess):
    """One emulator with the Linux guest, which waits before and after each program."""

    def __init__(self, command, system, archive, arguments=""):
        argv = command + ["-m", "128", "-display", "none", "-net", "none", "-monitor", "none",
                          "-serial", "stdio", "-no-reboot", "-kernel", system.kernel,
                          "-initrd", archive, "-append", system.append + arguments]
        super().__init__(argv, system.time_out)

    def boot(self):
        self.wait_for("ready")
        run = Run(None, self.seconds())
        self.go_on()
        return run

    def run_program(self, name):
        """Runs the next program, which must be `name`."""
        self.wait_for(f"start {name}")
        before = self.seconds()
        self.go_on()
        lines = self.wait_for(f"stop {name}")
        seconds = self.seconds() - before
        self.go_on()
        return make_run(lines, seconds)


def make_run(lines, seconds):
    """What a program's output lines and seconds say."""
    for line in lines:
        match = re.search(r"checksum=([0-9A-F]{8})$", line)
        if match:
            return Run(match.group(1), seconds)
    return Run(None, seconds, (lines or ["no output"])[-1])


def run_natively(path, scale):
    """Runs one program on the host. wait4 tells the time of this child alone."""
    with subprocess.Popen([path, scale], stdout=subprocess.PIPE) as process:
        output = process.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return make_run(output.splitlines(), usage.ru_utime + usage.ru_stime)


def can_run_natively(path):
    if platform.machine() not in ("x86_64", "i386", "i686"):
        return False
    try:
        return run_natively(path, "1").problem is None
    except OSError:
        return False  # a kernel without 32-bit programs


def find_programs(folder):
    """{name: (class, path)} of the compiled programs in the order of CLASSES."""
    programs = {}
    for kind in CLASSES:
        if os.path.isdir(os.path.join(folder, kind)):
            for name in sorted(os.listdir(os.path.join(folder, kind))):
                programs[name] = (kind, os.path.join(folder, kind, name))
    return programs


def write_initramfs(output, folder, paths):
    """Writes an archive with the first process and the programs {name: path}."""
    archive = initramfs.Archive()
    archive.add_folder("dev")
    archive.add_character_device("dev/console", 5, 1)
    archive.add_host_file("init", os.path.join(folder, "init/bench_init"))
    for name, path in paths.items():
        archive.add_host_file("programs/" + name, path)
    with open(output, "wb") as file:
        file.write(archive.bytes())


def report(text):
    """Shows on a terminal what is running."""
    if sys.stderr.isatty():
        print(f"\r{text:40}", end="", file=sys.stderr, flush=True)


class Bench:
    """The runs of one benchmark: {program: {runner: [Run, ...]}}."""

    def __init__(self, commands, system, paths, scale):
        self.commands = commands
        self.system = system
        self.paths = paths
        self.scale = scale
        self.results = {name: {} for name in [BOOT, *paths]}
        self.lost = {}

    def _record(self, name, runner, run):
        self.results[name].setdefault(runner, []).append(run)

    def _attempt(self, guests, runner, name, action):
        """Lets one guest do something; if it is lost, the other runs go on without it."""
        try:
            self._record(name, runner, action(guests[runner]))
        except GuestLost as reason:
            guests.pop(runner).close()
            self.lost[runner] = str(reason)
            self._record(name, runner, Run(None, None, str(reason)))

    def run_round(self, archive, native):
        """Boots every emulator that was not lost and runs all programs in turns."""
        arguments = f" -- {self.scale} {','.join(self.paths)}"
        guests = {}
        try:
            for runner, command in self.commands.items():
                if runner not in self.lost:
                    guests[runner] = Guest(command, self.system, archive, arguments)
                    report(f"{runner}: boot")
                    self._attempt(guests, runner, BOOT, Guest.boot)
            for name, path in self.paths.items():
                for runner in list(guests):
                    report(f"{runner}: {name}")
                    self._attempt(guests, runner, name, lambda guest: guest.run_program(name))
                if native:
                    self._record(name, NATIVE, run_natively(path, self.scale))
        finally:
            for guest in guests.values():
                guest.close()


def format_seconds(seconds):
    return "-" if seconds is None else f"{seconds:.3f} s"


def format_ratio(value):
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def print_markdown(rows, kinds, runners):
    """A table with a row a program, and the geometric means of each class."""
    ours = runners[0]
    pairs = [(other, ours) for other in runners[1:] if other != NATIVE]
    if NATIVE in runners:
        pairs += [(runner, NATIVE) for runner in runners if runner != NATIVE]
    columns = ["program", *runners, *(f"{over} / {under}" for over, under in pairs)]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        if not any(row["seconds"].values()) and not row["problems"]:
            continue
        cells = [format_seconds(row["seconds"][runner]) for runner in runners]
        cells += [format_ratio(ratio(row, *pair)) if row["name"] != OVERHEAD else ""
                  for pair in pairs]
        print(f"| {row['name']} | " + " | ".join(cells) + f" | {describe_problems(row)}".rstrip())
    for kind in CLASSES:
        members = [row for row in rows if kinds.get(row["name"]) == kind]
        if members:
            means = [geometric_mean([value for value in (ratio(row, *pair) for row in members)
                                     if value]) for pair in pairs]
            cells = [""] * len(runners) + [f"**{format_ratio(mean)}**" for mean in means]
            print(f"| **{kind}: mean of {len(members)}** | " + " | ".join(cells) + " |")


def measure(bench, folder, rounds, native):
    """Makes the archive and runs everything."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = os.path.join(scratch, "initramfs")
        write_initramfs(archive, folder, bench.paths)
        for _ in range(rounds):
            bench.run_round(archive, native)
    report("")


def parse_command_line():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, cpu="qemu32", rounds=3, time_out=300)
    parser.add_argument("--programs", help="folder of the programs (default: "
                        "tests/bench/programs beside EMU)")
    parser.add_argument("--flavour", default="686", choices=["686", "686-pae"],
                        help="Debian's kernel (default: %(default)s)")
    parser.add_argument("--append", default="console=ttyS0 quiet",
                        help="the kernel's command line (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="exit with status 1 also if a program "
                        "did not end, with 77 if the kernel or the programs are not there")
    args = parse_arguments(parser)
    args.programs = args.programs or os.path.join(os.path.dirname(os.path.abspath(args.emu)),
                                                  "tests/bench/programs")
    return args


def main():
    args = parse_command_line()
    programs = find_programs(args.programs)
    try:
        kernel = fetch_packages.kernel_image(args.flavour)
        if not programs:
            raise fetch_packages.PackageMissing(f"no programs in {args.programs}")
    except fetch_packages.PackageMissing as reason:
        print(f"linux_bench.py: {reason}", file=sys.stderr)
        sys.exit(SKIPPED if args.check else 1)
    paths = {OVERHEAD: os.path.join(args.programs, "empty", OVERHEAD)}
    paths.update({name: programs[name][1] for name in choose_names(list(programs), args.only)})
    native = can_run_natively(paths[OVERHEAD])
    bench = Bench(emulator_commands(args), System(kernel, args.append, args.time_out), paths,
                  str(1 if args.quick else FULL_SCALE))
    measure(bench, args.programs, args.rounds, native)
    runners = [*bench.commands, *([NATIVE] if native else [])]
    rows = summarize(bench.results, runners, OVERHEAD, whole=[BOOT])
    kinds = {name: kind for name, (kind, _) in programs.items()}
    for row in rows:
        row["group"] = GROUPS.get(kinds.get(row["name"]), "-")
    if args.json:
        print(json.dumps({**host_description(args), "runners": runners, "programs": rows,
                          "classes": kinds}, indent=2))
    else:
        print_markdown(rows, kinds, runners)
    bad = any(row["mismatch"] or (args.check and row["problems"]) for row in rows)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
