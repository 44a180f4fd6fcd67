"""Debian's i386 Linux as a guest: how it is started, and what it may not complain about."""
import re

import fetch_packages
import initramfs
from guest_test import check

FLAVOURS = ("686", "686-pae")
MD5_OF_8_MB_OF_ZEROS = "96995b58d4cbf6aaa9041b4f00c7f6ae"
PI_TO_40_DIGITS = "3.1415926535897932384626433832795028841968"  # as bc cuts it off

# Words of Linux that tell of a processor or a board that is not as it should be.
COMPLAINT = re.compile(r"(?i)\b(bug|broken|fail(ed|ure|s)?|error|warn(ing)?|bogus|unable|unstable"
                       r"|weird|buggy|spurious|nobody cared|oops|panic|call trace|stuck|lockup"
                       r"|too large|unsupported|missing|not listed|out of sync|timeout|lost)\b")
# Such lines that tell the truth about this machine, and come on real ones and under QEMU as well.
NO_COMPLAINT = re.compile("|".join((
    r"NX \(Execute Disable\) protection missing in CPU",  # no model before Prescott has it
    r"Spectre|Meltdown|MDS:|L1TF|Speculative|MMIO Stale|ITS:|x86/bugs",
    r"RAMDISK|Kernel command line|Command line",
    r"evm: |ima: ",
    r"fail to add MMCONFIG",  # the chip set knows no PCI Express
    r"and report a bug",  # said with every PCI root that ACPI describes
    # There are no performance counters, in no model.
    r"Performance Events: .*software events only|Broken PMU hardware detected",
    r"Failed to access perfctr msr",
    r"mce: Unable to init MCE device",  # where there are no banks (qemu32), under QEMU, too
)))
# How the TSC is measured depends on the host's load while time is the host's.
TIMING_COMPLAINT = re.compile(r"tsc: (Fast TSC calibration failed|Unable to calibrate against PIT"
                              r"|Marking TSC unstable)|clocksource: |PM-Timer"
                              r"|Unstable clock detected")


def kernel_options(flavour, initramfs_path, append="", memory=128):
    """Options for a boot by -kernel with everything that Linux says on the serial port."""
    return ["-m", str(memory), "-net", "none", "-kernel", fetch_packages.kernel_image(flavour),
            "-initrd", initramfs_path, "-append", f"console=ttyS0 {append}".strip()]


def find_complaints(log, exact_time=False):
    """The lines of a dmesg that complain about processor or board."""
    return [line for line in log.splitlines()
            if COMPLAINT.search(line) and not NO_COMPLAINT.search(line)
            and (exact_time or not TIMING_COMPLAINT.search(line))]


def check_shell(machine, seconds=120, exact_time=False):
    """Runs commands in the shell that a guest has on its serial port, and reads its log. With
    EXACT_TIME (-icount) it must have nothing to say against the clocks either."""
    machine.wait_serial(initramfs.READY, seconds)
    status, output = machine.run_command("dd if=/dev/zero bs=1M count=8 2>/dev/null | md5sum")
    check(status == 0 and MD5_OF_8_MB_OF_ZEROS in output, f"md5sum: {output}")
    status, output = machine.run_command("echo 'scale=40; 4*a(1)' | bc -l")
    check(status == 0 and output.split() == [PI_TO_40_DIGITS], f"bc: {output}")
    status, output = machine.run_command("dmesg")
    check(status == 0 and "Linux version" in output, "dmesg lacks the beginning")
    complaints = find_complaints(output, exact_time)
    check(not complaints, "Linux complains:\n" + "\n".join(complaints))


def power_off(machine):
    """Powers off by ACPI; the emulator ends with status 0."""
    machine.write_serial("poweroff -f\n")
    status = machine.wait_exit(30)
    check(status == 0, f"the emulator ended with status {status} after power off")
