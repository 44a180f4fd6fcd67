#!/usr/bin/env python3
"""SeaBIOS: its boot menu, and what it says when there is nothing to boot."""
from guest_test import case, check, run_cases


@case
def boot_menu(context):
    """ESC shows the menu; its first entry boots the disk."""
    machine = context.start_floppy(context.own_image("bench/quick/empty.img"),
                                   "-boot", "menu=on", "-net", "none")
    machine.wait_text(r"Press ESC for boot menu")
    machine.send_key("esc")
    machine.wait_text(r"Select boot device")
    text = machine.read_text()
    check("Floppy" in text, "the floppy drive is not in the menu")
    machine.send_key("1")
    machine.wait_serial(r"empty checksum=00000000 done")


@case
def boot_once(context):
    """The CD drive, which is empty, is asked first at the first start alone; then the floppy."""
    machine = context.start("-m", "16", "-snapshot", "-net", "none", "-boot", "order=a,once=d,menu=on,splash-time=50",
                            "-drive", f"file={context.own_image('bench/quick/empty.img')},format=raw,if=floppy")
    machine.wait_serial(r"empty checksum=00000000 done")
    check("Booting from DVD/CD" in machine.read_text(), "the CD drive was not asked")
    machine.execute("system_reset")
    machine.wait_serial(r"(?s)checksum.*done.*checksum.*done")
    text = machine.read_text()
    check("Booting from Floppy" in text and "DVD/CD" not in text, "the CD drive was asked again")


@case
def reboot_when_nothing_boots(context):
    """reboot-timeout: the BIOS starts again, and -no-reboot ends the program."""
    machine = context.start("-m", "16", "-net", "none", "-boot", "reboot-timeout=2000", "-no-reboot")
    check(machine.wait_exit(30) == 0, "the reboot does not end the program with status 0")


@case
def nothing_to_boot(context):
    machine = context.start("-m", "32", "-net", "none")
    machine.wait_text(r"No bootable device")
    check(machine.quit() == 0, "quit does not end with status 0")


run_cases()
