#!/usr/bin/env python3
"""CDs: booting by El Torito, and changing, ejecting and locking them under Linux."""
import os

import initramfs
import iso_image
import linux_guest
from guest_test import case, check, run_cases

DRIVE = "ide1-cd0"

# Shows the text at 7D00h by the BIOS. From the start, since bytes 8 to 63 are the loader's table:
#   jmp 7C40h; at 7C40h: xor ax,ax; mov ds,ax; mov si,7D00h
#   next: lodsb; test al,al; jz stop; mov ah,0Eh; mov bx,7; int 10h; jmp next; stop: hlt; jmp stop
LOADER_HEAD = bytes.fromhex("eb3e")
LOADER = bytes.fromhex("31c08ed8be007dac84c07409b40ebb0700cd10ebf2f4ebfd")
LOADER_TEXT = b"Loaded from a CD without emulation.\0"


def make_loader():
    loader = bytearray(2048)
    loader[:len(LOADER_HEAD)] = LOADER_HEAD
    loader[0x40:0x40 + len(LOADER)] = LOADER
    loader[0x100:0x100 + len(LOADER_TEXT)] = LOADER_TEXT
    return bytes(loader)


@case
def boots_without_emulation(context):
    image = iso_image.write(os.path.join(context.folder, "a.iso"), {"BOOT.BIN": make_loader()},
                            "BOOT.BIN")
    machine = context.start("-m", "16", "-cdrom", image, "-boot", "d", "-net", "none")
    machine.wait_text("Loaded from a CD without emulation", 20)


@case
def boots_an_emulated_floppy(context):
    """The benchmark's floppy loads the rest of itself by the BIOS from drive A, which is the CD."""
    with open(context.own_image("bench/quick/empty.img"), "rb") as file:
        floppy = file.read()
    image = iso_image.write(os.path.join(context.folder, "a.iso"), {"FLOPPY.IMG": floppy},
                            "FLOPPY.IMG", iso_image.FLOPPY_1440K)
    machine = context.start("-m", "16", "-cdrom", image, "-boot", "d", "-net", "none")
    machine.wait_serial("empty checksum=00000000 done", 20)


def make_data_cd(context, name):
    path = os.path.join(context.folder, name + ".iso")
    return iso_image.write(path, {"NAME.TXT": name.encode() + b"\n"})


def start_linux(context, *options):
    image = initramfs.build(os.path.join(context.folder, "initramfs"),
                            modules=["ata_piix", "sr_mod", "isofs"])
    machine = context.start(*linux_guest.kernel_options("686", image), *options, terminal=True)
    machine.wait_serial(initramfs.READY, 120)
    machine.wait_until(lambda: machine.run_command("test -b /dev/sr0")[0] == 0, 20, "CD drive")
    return machine


def expect_name(machine, name):
    """Mounts the CD and leaves it mounted."""
    status, output = machine.run_command("mount -t iso9660 -o ro /dev/sr0 /mnt && cat /mnt/name.txt")
    check(status == 0 and output.strip().endswith(name), f"not the CD '{name}': {output}")


def run(machine, command):
    status, output = machine.run_command(command)
    check(status == 0, f"{command}: {output}")


def check_changes(context, machine):
    expect_name(machine, "first")
    check("locked" in machine.execute(f"eject {DRIVE}"), "a mounted CD can be taken out")
    run(machine, "umount /mnt")
    check(machine.execute(f"change {DRIVE} {make_data_cd(context, 'second')}") == "",
          "the CD cannot be changed")
    expect_name(machine, "second")
    run(machine, "umount /mnt")
    check(machine.execute(f"eject {DRIVE}") == "", "the CD cannot be taken out")
    check("tray open" in machine.execute("info block"), "the tray is not open")
    status, output = machine.run_command("mount -t iso9660 -o ro /dev/sr0 /mnt")
    check(status != 0, f"a CD is mounted that is not there: {output}")
    machine.execute(f"change {DRIVE} {make_data_cd(context, 'third')}")
    expect_name(machine, "third")
    run(machine, "umount /mnt")


def check_tray(machine):
    """The driver ejects after the last user, and closes the tray for the next."""
    expect_name(machine, "third")
    run(machine, "echo 1 > /proc/sys/dev/cdrom/autoeject; umount /mnt")
    check("tray open" in machine.execute("info block"), "the tray is not open")
    run(machine, "echo 0 > /proc/sys/dev/cdrom/autoeject")
    expect_name(machine, "third")  # it is closed for that
    check("tray closed" in machine.execute("info block"), "the tray is not closed")
    check("Removable device: locked" in machine.execute("info block"), "the tray is not locked")
    check(machine.execute(f"eject -f {DRIVE}") == "", "force does not help")
    status, _ = machine.run_command("dd if=/dev/sr0 of=/dev/null bs=2048 count=1 skip=20")
    check(status != 0, "a CD can be read that is not there")


@case
def changed_and_ejected_under_linux(context):
    machine = start_linux(context, "-cdrom", make_data_cd(context, "first"))
    check_changes(context, machine)
    check_tray(machine)


run_cases()
