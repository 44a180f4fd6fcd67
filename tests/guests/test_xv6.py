#!/usr/bin/env python3
"""xv6: paging, processes, the APICs by the MP table, two IDE disks by PIO, console on COM1."""
from guest_test import case, check, run_cases


def start(context, *options):
    """Boots to the shell. The kernel maps the first 224 MB whatever there is, so less will not do."""
    machine = context.start("-m", "512", "-snapshot", *options,
                            "-drive", f"file={context.guest('xv6.img')},format=raw,if=ide,index=0",
                            "-drive", f"file={context.guest('xv6-fs.img')},format=raw,if=ide,index=1")
    machine.wait_serial(r"^init: starting sh\n\$ ")
    return machine


@case
def shell(context):
    machine = start(context)
    machine.type_text("ls\n")
    machine.wait_serial(r"^usertests +2 15 58248$")
    machine.wait_serial(r"^console +3 19 0\n(.*\n)*\$ ")
    machine.type_text("cat README | grep Unix | wc\n")
    machine.wait_serial(r"^\$ cat README \| grep Unix \| wc\n[1-9]\d* \d+ \d+ $")
    check("usertests" in machine.read_text(), "the screen lacks what the serial port shows")


@case
def deterministic_clock(context):
    """The local APIC's timer and the disks' interrupts on the clock of instructions."""
    machine = start(context, "-icount", "shift=8")
    machine.type_text("ls\n")
    machine.wait_serial(r"^usertests +2 15 58248$")


@case(long=True)
def usertests(context):
    """The kernel's own tests: system calls, faults, pipes, forks, files."""
    machine = start(context)
    machine.type_text("usertests\n")
    machine.wait_serial(r"^ALL TESTS PASSED$", 200)


run_cases()
