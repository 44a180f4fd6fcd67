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
def nothing_to_boot(context):
    machine = context.start("-m", "32", "-net", "none")
    machine.wait_text(r"No bootable device")
    check(machine.quit() == 0, "quit does not end with status 0")


run_cases()
