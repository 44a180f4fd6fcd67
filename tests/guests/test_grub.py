#!/usr/bin/env python3
"""GRUB's rescue CD and floppy: menu, command line, and a Linux that it starts from a disk."""
import os

import boot_media
import fetch_packages
import initramfs
import linux_guest
from guest_test import case, check, run_cases


def rescue_image(name):
    return fetch_packages.package_file("grub-rescue-pc", f"usr/lib/grub-rescue/{name}")


def start_command_line(context, *options, memory=64, terminal=False):
    machine = context.start("-m", str(memory), "-net", "none", "-snapshot", *options,
                            terminal=terminal)
    machine.wait_text(r"Press enter to boot the selected OS", 60)
    machine.send_key("c")
    machine.wait_text(r"^grub> ?$", 20)
    return machine


def write_data_disk(context):
    """A disk with an ext4 partition that holds one folder and one file."""
    folder = os.path.join(context.folder, "files")
    os.makedirs(os.path.join(folder, "letters"))
    with open(os.path.join(folder, "letters", "note.txt"), "w", encoding="ascii") as file:
        file.write("written outside of the machine\n")
    return boot_media.write_ext4_disk(os.path.join(context.folder, "disk.img"), 16, folder)


def look_around(machine, device):
    """The drives are listed, and a file on the disk's partition is found and read."""
    machine.type_text("ls\n")
    machine.wait_text(rf"\({device}\).*\(hd0\) \(hd0,msdos1\)|\(hd0\) \(hd0,msdos1\).*\({device}\)")
    machine.type_text("ls (hd0,msdos1)/\n")
    machine.wait_text(r"letters/")
    machine.type_text("cat (hd0,msdos1)/letters/note.txt\n")
    machine.wait_text(r"^written outside of the machine")


@case
def floppy(context):
    image = rescue_image("grub-rescue-floppy.img")
    machine = start_command_line(context, "-boot", "a",
                                 "-drive", f"file={image},format=raw,if=floppy",
                                 "-drive", f"file={write_data_disk(context)},format=raw,if=ide")
    look_around(machine, "fd0")


@case
def cd(context):
    machine = start_command_line(context, "-boot", "d",
                                 "-cdrom", rescue_image("grub-rescue-cdrom.iso"),
                                 "-drive", f"file={write_data_disk(context)},format=raw,if=ide")
    look_around(machine, "cd")


@case(long=True)
def linux_from_disk(context):
    """GRUB loads kernel and initramfs from a disk and starts them."""
    shell = initramfs.build(os.path.join(context.folder, "initramfs"), "686", packages=["bc"],
                            compress=True)
    disk = boot_media.write_extlinux_disk(os.path.join(context.folder, "disk.img"), "686", shell)
    machine = start_command_line(context, "-boot", "d",
                                 "-cdrom", rescue_image("grub-rescue-cdrom.iso"),
                                 "-drive", f"file={disk},format=raw,if=ide", memory=256,
                                 terminal=True)
    machine.type_text("set root=(hd0,msdos1)\nlinux /boot/vmlinuz console=ttyS0\n"
                      "initrd /boot/initrd.img\nboot\n")
    linux_guest.check_shell(machine)
    linux_guest.power_off(machine)


run_cases()
