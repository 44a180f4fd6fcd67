#!/usr/bin/env python3
"""Both backends compute the same over a boot of Linux and what its programs do afterwards."""
import os
import subprocess

import fetch_packages
import initramfs
from guest_test import Skip, case, check, run_cases

# Integers, x87 (bc has none, awk has), strings, processes and files, without an end.
SCRIPT = """while true; do
    dd if=/dev/zero bs=1M count=4 2>/dev/null | md5sum
    echo "scale=200; 4*a(1)" | bc -l
    gzip -c /bin/busybox | gzip -dc | sha256sum
    awk 'BEGIN { for (i = 1; i < 40000; i++) s += sqrt(i) * sin(i); print s }'
    find / -xdev | sort | tail -2
done
"""


def run_lockstep(context, flavour, instructions, step, seconds):
    if context.is_qemu or context.accelerator != "jit":
        raise Skip("lockstep runs both backends by itself")
    image = initramfs.build(os.path.join(context.folder, "initramfs"), flavour, packages=["bc"],
                            script=SCRIPT)
    command = [context.emulator, "lockstep", "--instructions", str(instructions),
               "--step", str(step), "-m", "64", "-net", "none", "-display", "none",
               "-kernel", fetch_packages.kernel_image(flavour), "-initrd", image,
               "-append", "console=ttyS0"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    output = result.stdout + result.stderr
    check(result.returncode == 0 and f"agree over {instructions}" in output, output)


@case
def start_of_kernel(context):
    run_lockstep(context, "686-pae", 60_000_000, 1_000_000, 800)


@case(long=True)
def boot_and_programs(context):
    """Two thousand million instructions, with a hash of the whole state for each million."""
    run_lockstep(context, "686", 2_000_000_000, 1_000_000, 3000)


@case(long=True)
def boot_in_small_steps(context):
    run_lockstep(context, "686-pae", 300_000_000, 997, 3000)


run_cases()
