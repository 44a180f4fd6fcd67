#!/usr/bin/env python3
"""memtest86+ for 32-bit processors: a whole pass over the memory without an error."""
import re

import fetch_packages
from guest_test import case, check, run_cases

# A microsecond an instruction: the last test waits for 300 s of the guest's time.
FAST_TIME = ("-icount", "shift=10")


def run_pass(context, memory, *options, seconds=120):
    program = fetch_packages.package_file("memtest86+", "boot/memtest86+ia32.bin")
    machine = context.start("-m", str(memory), "-net", "none", "-kernel", program, *options)
    machine.wait_text(r"Memtest86\+ v")
    machine.wait_text(r"Pass:\s+[1-9]", seconds)
    text = machine.read_text()
    check(re.search(r"Errors:\s+0\b", text), f"memtest86+ found errors:\n{text}")
    check(re.search(rf"Memory\s*:\s*{memory}MB", text), f"the size is another one:\n{text}")
    machine.send_key("esc")  # ends by a reset


@case
def one_pass(context):
    run_pass(context, 8, *FAST_TIME)


@case(long=True)
def larger_machine(context):
    """Above the size where memtest86+ has to use PAE windows."""
    run_pass(context, 64, *FAST_TIME, seconds=600)


run_cases()
