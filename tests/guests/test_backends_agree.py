#!/usr/bin/env python3
"""The test scripts of guests are the same run with both backends: each machine's state after every
million instructions."""
import os
import subprocess

from guest_test import Skip, case, check, run_cases

FOLDER = os.path.dirname(os.path.abspath(__file__))
QUICK = ("bootos", "demo", "floppybird", "mikeos", "seabios")
SLOW = ("cdrom", "freedos", "freedos_programs", "grub", "kernel", "kolibri", "linux", "memory_sizes",
        "memtest", "openbsd", "xv6")


def run_script(context, name, *options):
    roms = os.path.join(os.path.dirname(context.emulator), "roms")
    command = [context.emulator, "test", "--jobs", "1", "--var", f"roms={roms}",
               "--var", f"guests={os.path.dirname(context.guest('mikeos.img'))}",
               "--var", f"cache={context.folder}/cache", "--out", f"{context.folder}/failures",
               *options, os.path.join(FOLDER, name + ".lua")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    check(result.returncode == 0, " ".join(command) + ":\n" + result.stdout + result.stderr)


def compare(context, names):
    if context.is_qemu or context.accelerator != "jit":
        raise Skip("both backends run in one test")
    for name in names:
        log = os.path.join(context.folder, name + ".log")
        run_script(context, name, "--hash-log", log)
        with open(log, encoding="ascii") as file:
            check(file.read().count("\n") > 5, f"{name}: too few hashes prove nothing")
        run_script(context, name, "--hash-check", log, "-accel", "interp")


@case
def quick_scripts(context):
    compare(context, QUICK)


@case(long=True)
def slow_scripts(context):
    compare(context, SLOW)


run_cases()
