#!/usr/bin/env python3
"""Debian's kernels, without and with PAE, by -kernel in machines of all sizes."""
import os

import initramfs
import linux_guest
from guest_test import case, check, run_cases


def start(context, flavour, memory, *options, append=""):
    image = initramfs.build(os.path.join(context.folder, "initramfs"), flavour, packages=["bc"])
    return context.start(*linux_guest.kernel_options(flavour, image, append, memory), *options,
                         terminal=True)


def check_system(context, flavour, memory, *options, exact_time=False):
    machine = start(context, flavour, memory, *options)
    linux_guest.check_shell(machine, exact_time=exact_time)
    _, output = machine.run_command("grep MemTotal /proc/meminfo; uname -r")
    total = int(output.split()[1]) // 1024
    check(memory * 0.7 - 16 < total <= memory, f"Linux sees {total} of {memory} MB")
    check(output.split()[-1].endswith(flavour), f"another kernel runs: {output}")
    linux_guest.power_off(machine)
    context.machine.close()


@case
def smallest(context):
    check_system(context, "686", 64)


@case
def pae(context):
    check_system(context, "686-pae", 512)


@case
def clocks_agree(context):
    """With time by the instruction count nothing is said about TSC, PIT, HPET and PM timer."""
    check_system(context, "686", 128, "-icount", "shift=3", exact_time=True)


@case(long=True)
def every_size(context):
    for memory in (96, 128, 256, 512, 1024, 2048, 3072):
        check_system(context, "686", memory)
        check_system(context, "686-pae", memory)
    check_system(context, "686-pae", 3584)


@case(long=True)
def every_model(context):
    """The oldest processor that each kernel takes, and newer ones."""
    for model in ("pentium2", "pentium3", "pentium4", "qemu32", "max"):
        check_system(context, "686-pae", 256, "-cpu", model)
        check_system(context, "686", 256, "-cpu", model)


run_cases()
