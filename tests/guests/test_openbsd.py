#!/usr/bin/env python3
"""OpenBSD 5.1's installer: a 32-bit BSD kernel with a RAM disk, from a floppy."""
from guest_test import case, check, run_cases


def start(context, *options):
    machine = context.start_floppy(context.guest("openbsd.img"), *options)
    machine.wait_text(r"\(I\)nstall, \(U\)pgrade or \(S\)hell\?", 150)
    machine.type_text("s\n")
    machine.wait_text(r"^#$")
    return machine


def list_files(machine):
    machine.type_text("ls -l /\n")
    machine.wait_text(r"^-rw-r--r-- +1 root +wheel +38126 Feb 12 +\S+ install.sub$")


@case
def shell(context):
    """On the clock of instructions, with few of them to a second: the kernel waits for drives that
    are not there by counting the local APIC's timer, for half a minute in all."""
    machine = start(context, "-icount", "shift=8")
    list_files(machine)
    machine.type_text("clear; dmesg | grep apic\n")
    text = machine.wait_text(r"^cpu0: apic clock running at (\d+)MHz$")
    check(990 <= int(text.group(1)) <= 1010, f"the bus clock is 1 GHz, not {text.group(1)} MHz")
    machine.wait_text(r"^ioapic0 at mainbus0: apid \d+ pa 0xfec00000, version 11, 24 pins$")


@case(long=True)
def host_clock(context):
    list_files(start(context))


run_cases()
