#!/usr/bin/env python3
"""Compares what whole boots cost under Reprise and under QEMU's TCG: CPU seconds of the emulator.

seabios         the BIOS alone, until it finds nothing to boot
freedos         FreeDOS from a floppy to the end of its AUTOEXEC.BAT (REPRISE_GUESTS has its image)
linux_shell     Debian's kernel and busybox's shell, until the shell's first command has printed
installer_menu  Debian's netboot installer, until it asks for the language (not with --quick)

Both emulators take turns in each round; what is missing on this host is left out.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

from bench_common import (REPOSITORY, Run, add_arguments, choose_names, describe_problems,
                          emulator_commands, geometric_mean, host_description, parse_arguments,
                          ratio, summarize)
from guest_process import GuestLost, GuestProcess, run_to_end

sys.path.insert(0, os.path.join(REPOSITORY, "tests/guests"))
import fetch_packages  # pylint: disable=wrong-import-position
import initramfs  # pylint: disable=wrong-import-position

GUESTS = os.environ.get("REPRISE_GUESTS", os.path.join(REPOSITORY, "..", "shared", "guests"))
SKIPPED = 77
EXIT_DONE = 33  # debug-exit value 16 << 1 | 1
# MOV DX, 501h; MOV AL, 16; OUT DX, AL; RET: a program that ends the emulator.
EXIT_PROGRAM = bytes([0xba, 0x01, 0x05, 0xb0, 0x10, 0xee, 0xc3])
COMMON = ["-display", "none", "-net", "none", "-monitor", "none"]
INSTALLER = ("usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/linux")


class Missing(Exception):
    """What this boot needs is not on the host."""


def run_until_end(argv, time_out, status):
    try:
        outcome = run_to_end(argv, time_out)
    except OSError as error:
        return Run(None, None, f"cannot be started: {error.strerror}")
    if outcome.timed_out or outcome.status != status:
        return Run(None, outcome.seconds, f"exit status {outcome.status}: {outcome.errors[-200:]}")
    return Run(None, outcome.seconds)


def run_until_text(argv, time_out, texts):
    """Until the guest has printed the last of TEXTS; (text, line to type then) each."""
    try:
        with GuestProcess(argv, time_out) as guest:
            for text, line in texts:
                guest.read_until(text)
                seconds = guest.seconds()
                if line:
                    guest.go_on(line)
            return Run(None, seconds)
    except GuestLost as reason:
        return Run(None, None, str(reason))


class SeaBios:
    def __init__(self, _):
        self.options = ["-m", "32", "-serial", "null", "-boot", "reboot-timeout=1", "-no-reboot"]

    def run(self, command, time_out):
        return run_until_end(command + COMMON + self.options, time_out, 0)


class FreeDos:
    def __init__(self, scratch):
        original = os.path.join(GUESTS, "freedos-1440.img")
        if not os.path.exists(original):
            raise Missing(f"no {original}; REPRISE_GUESTS names the folder of the guests")
        if not shutil.which("mcopy"):
            raise Missing("mtools is not installed")
        self.image = shutil.copy(original, os.path.join(scratch, "freedos.img"))
        self._replace("AUTOEXEC.BAT", b"@ECHO OFF\r\nEXIT501\r\n")
        self._replace("EXIT501.COM", EXIT_PROGRAM)

    def _replace(self, name, data):
        subprocess.run(["mcopy", "-o", "-i", self.image, "-", "::" + name], input=data, check=True)

    def run(self, command, time_out):
        options = ["-m", "32", "-serial", "null", "-boot", "a", "-device", "isa-debug-exit",
                   "-drive", f"file={self.image},format=raw,if=floppy,snapshot=on"]
        return run_until_end(command + COMMON + options, time_out, EXIT_DONE)


class LinuxShell:
    def __init__(self, scratch):
        try:
            archive = initramfs.build(os.path.join(scratch, "shell"))
            self.options = ["-m", "128", "-serial", "stdio", "-kernel",
                            fetch_packages.kernel_image("686"), "-initrd", archive,
                            "-append", "console=ttyS0 quiet"]
        except fetch_packages.PackageMissing as reason:
            raise Missing(str(reason)) from reason

    def run(self, command, time_out):
        texts = [(b"# ", "echo shell $((6 * 7))"), (b"shell 42", None)]
        return run_until_text(command + COMMON + self.options, time_out, texts)


class InstallerMenu:
    def __init__(self, _):
        try:
            kernel = fetch_packages.package_file("debian-installer-12-netboot-i386", INSTALLER)
        except fetch_packages.PackageMissing as reason:
            raise Missing(str(reason)) from reason
        self.options = ["-m", "512", "-serial", "stdio", "-kernel", kernel, "-initrd",
                        os.path.join(os.path.dirname(kernel), "initrd.gz"),
                        "-append", "console=ttyS0 quiet"]

    def run(self, command, time_out):
        return run_until_text(command + COMMON + self.options, time_out,
                              [(b"Select a language", None)])


BOOTS = {"seabios": SeaBios, "freedos": FreeDos, "linux_shell": LinuxShell,
         "installer_menu": InstallerMenu}
LONG = ["installer_menu"]


def prepare(names, scratch):
    boots = {}
    for name in names:
        try:
            boots[name] = BOOTS[name](scratch)
        except Missing as reason:
            print(f"boot_bench.py: no {name}: {reason}", file=sys.stderr)
    return boots


def measure(boots, commands, rounds, time_out):
    results = {name: {runner: [] for runner in commands} for name in boots}
    for _ in range(rounds):
        for name, boot in boots.items():
            for runner, command in commands.items():
                runs = results[name][runner]
                if not runs or not runs[-1].problem:
                    runs.append(boot.run(command, time_out))
    return results


def print_markdown(rows, runners):
    print("| boot | " + " | ".join(runners) + " | times as fast |\n|" + "---|" * (len(runners) + 2))
    for row in rows:
        cells = ["-" if row["seconds"][runner] is None else f"{row['seconds'][runner]:.3f} s"
                 for runner in runners]
        factor = f"{row['ratio']:.2f}" if row["ratio"] else "-"
        print(f"| {row['name']} | {' | '.join(cells)} | {factor} | {describe_problems(row)}".rstrip())
    mean = geometric_mean([row["ratio"] for row in rows if row["ratio"]])
    if mean:
        print(f"\nGeometric mean: {mean:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, cpu="qemu32", rounds=5, time_out=600)
    parser.add_argument("--check", action="store_true", help="exit with status 1 if a boot did not "
                        "get to its end, with 77 if none could be tried")
    args = parse_arguments(parser)
    commands = emulator_commands(args)
    names = choose_names(list(BOOTS), args.only)
    if args.quick:
        names = [name for name in names if name not in LONG]
    with tempfile.TemporaryDirectory() as scratch:
        boots = prepare(names, scratch)
        if not boots and args.check:
            sys.exit(SKIPPED)
        results = measure(boots, commands, args.rounds, args.time_out)
    runners = list(commands)
    rows = summarize(results, runners)
    for row in rows:
        row["group"] = "boots"
        row["ratio"] = ratio(row, runners[1], runners[0]) if len(runners) == 2 else None
    if args.json:
        print(json.dumps({**host_description(args), "runners": runners, "programs": rows}, indent=2))
    else:
        print_markdown(rows, runners)
    sys.exit(1 if args.check and any(row["problems"] for row in rows) else 0)


if __name__ == "__main__":
    main()
