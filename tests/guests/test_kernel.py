#!/usr/bin/env python3
"""Kernels started by -kernel: Linux by each boot protocol, and Multiboot."""
import os
import re

from guest_test import case, check, run_cases
from fetch_packages import package_file

REPORT_STATUS = 0x10 * 2 + 1


def run_report(context, kernel, *options):
    """Runs one of our reporting kernels to its end; returns its words line by line."""
    machine = context.start("-S", "-m", "64", "-kernel", context.own_image(kernel), "-device",
                            "isa-debug-exit", *options)
    machine.monitor.sendall(b"cont\n")  # the guest may end before an answer comes
    status = machine.wait_exit(20)
    check(status == REPORT_STATUS, f"exit status {status}")
    lines = machine.read_serial().replace("\r", "").replace("\0", "").split("\n")
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in lines if line}, lines


def write_file(context, name, content):
    path = os.path.join(context.folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def check_report(report, **expected):
    for name, value in expected.items():
        check(report.get(name) == value, f"{name} is {report.get(name)!r}, not {value!r}")


def run_linux_report(context, kind):
    initrd = write_file(context, "initrd", b"RAM disk!" * 500)
    report, _ = run_report(context, f"linux_report_{kind}.bin", "-initrd", initrd, "-append",
                           "one two=2 vga=0x317")
    check_report(report, IF="0000", KERNEL="PAYLOAD!", COMMAND="one two=2 vga=0x317", VIDEO="0317",
                 LOADER="00B0", INITRD=f"{4500:04X}", ALIGNED="0000", INITRDDATA="RAM disk")
    check("DONE" in report, "the report is not complete")
    return report


OLD_PLACE = {"CS": "9020", "DS": "9000", "ES": "9000", "SS": "9000", "SP": "9FD0"}
NEW_PLACE = {"CS": "1020", "DS": "1000", "ES": "1000", "SS": "1000", "SP": "FFF0"}


@case
def linux_before_versions(context):
    report, _ = run_report(context, "linux_report_000.bin", "-append", "one two=2 vga=0x317")
    check_report(report, **OLD_PLACE, KERNEL="PAYLOAD!", COMMAND="one two=2 vga=0x317",
                 VIDEO="0317")


@case
def linux_2_00(context):
    check_report(run_linux_report(context, "200"), **OLD_PLACE, LOADFLAGS="0000")


@case
def linux_2_01_high(context):
    check_report(run_linux_report(context, "201_high"), **OLD_PLACE, LOADFLAGS="0081", HEAP="9DE0")


@case
def linux_2_02(context):
    check_report(run_linux_report(context, "202"), **OLD_PLACE, LOADFLAGS="0080", HEAP="9DE0")


@case
def linux_2_03_high(context):
    check_report(run_linux_report(context, "203_high"), **NEW_PLACE, LOADFLAGS="0081", HEAP="FE00")


@case
def linux_2_12_high(context):
    check_report(run_linux_report(context, "20C_high"), **NEW_PLACE, LOADFLAGS="0081", HEAP="FE00")


def run_multiboot_report(context, kind):
    first = write_file(context, "first", b"a module")
    second = write_file(context, "second,2", bytes(range(256)) * 40)
    report, lines = run_report(
        context, f"multiboot_report.{kind}", "-append", "quiet root=1", "-initrd",
        f"{first} its words,{second.replace(',', ',,')}")
    check_report(report, MAGIC="2BADB002", LOWER="0000027F", DATA="", BSS="00000000",
                 COMMAND=context.own_image(f"multiboot_report.{kind}") + " quiet root=1")
    modules = [line for line in lines if line.startswith("MODULE")]
    check(modules == [f"MODULE 00000000 00000008 {sum(b'a module'):08X} {first} its words",
                      f"MODULE 00000000 00002800 {sum(range(256)) * 40:08X} {second}"],
          f"the modules are {modules}")
    ranges = [[int(number, 16) for number in line.split()[1:]]
              for line in lines if line.startswith("MAP")]
    usable = sum(length for _, length, kind in ranges if kind == 1)
    check(62 << 20 < usable < 64 << 20, f"{usable} bytes are usable")
    check(ranges[0] == [0, 0x9FC00, 1], f"the map begins with {ranges[0]}")
    upper = next(length for base, length, _ in ranges if base == 0x100000)
    check(int(report["UPPER"], 16) * 1024 == upper, f"memory above 1 MB is {report['UPPER']} KB")


@case
def multiboot_by_addresses(context):
    run_multiboot_report(context, "bin")


@case
def multiboot_elf(context):
    run_multiboot_report(context, "elf")


@case
def kernel_before_drives(context):
    """The kernel starts though a disk has the first boot index, and again after a reset."""
    machine = context.start(
        "-m", "64", "-kernel", context.own_image("linux_report_20C_high.bin"), "-snapshot",
        "-drive", f"file={context.own_image('bench/quick/empty.img')},format=raw,if=floppy",
        "-boot", "menu=on,splash-time=1000")
    machine.wait_serial(r"^DONE")
    machine.execute("system_reset")
    machine.wait_serial(r"DONE(.|\n)*DONE")
    machine.execute("system_reset")
    machine.wait_text(r"Press ESC for boot menu")
    machine.send_key("esc")
    machine.wait_text(r"1\. Kernel of the command line")


@case
def memtest(context):
    """memtest86+ 6.10 (protocol 2.12): two tests without an error."""
    machine = context.start("-m", "16", "-kernel", package_file("memtest86+", "boot/memtest86+ia32.bin"),
                            "-append", "console=ttyS0,115200")
    machine.wait_text(r"Memtest86\+")
    machine.wait_text(r"#[2-9] ", 60)
    check(re.search(r"Errors:\s+0\b", machine.read_text()), "memtest86+ reports errors")


@case
def memdisk(context):
    """MEMDISK (protocol 2.03) makes its initrd the floppy in drive A, and boots from it."""
    machine = context.start("-m", "32", "-kernel",
                            package_file("syslinux-common", "usr/lib/syslinux/memdisk"), "-initrd",
                            context.own_image("bench/quick/empty.img"), "-append", "floppy")
    machine.wait_serial(r"empty checksum=00000000 done", 30)


@case
def ipxe(context):
    """iPXE (protocol 2.07) starts in real mode and reports that there is no network card."""
    machine = context.start("-m", "32", "-kernel", package_file("ipxe", "boot/ipxe.lkrn"))
    machine.wait_text(r"iPXE initialising devices|iPXE 1\.0\.0", 30)
    machine.wait_text(r"No more network devices|Press Ctrl-B", 30)


run_cases()
