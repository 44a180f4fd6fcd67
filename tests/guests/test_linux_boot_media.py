#!/usr/bin/env python3
"""Debian's kernels from a CD by isolinux, and from a disk by an extlinux that a guest installed."""
import hashlib
import os
import random

import boot_media
import initramfs
import linux_guest
from guest_test import case, check, run_cases

MODULES = initramfs.DISK_MODULES + initramfs.FILE_SYSTEM_MODULES


def build_shell(context, flavour, compress=False):
    return initramfs.build(os.path.join(context.folder, "initramfs"), flavour, MODULES,
                           packages=["bc"], compress=compress)


def boot_from_cd(context, flavour, memory):
    """From the CD to a shell; then the running system reads the CD, too."""
    data = random.Random(1).randbytes(3_000_001)
    disc = boot_media.write_cd(os.path.join(context.folder, "linux.iso"), flavour,
                               build_shell(context, flavour), files={"data.bin": data})
    machine = context.start("-m", str(memory), "-net", "none", "-cdrom", disc, "-boot", "d",
                            terminal=True)
    linux_guest.check_shell(machine)
    status, output = machine.run_command("mount -t iso9660 /dev/sr0 /mnt && md5sum /mnt/data.bin")
    check(status == 0 and hashlib.md5(data).hexdigest() in output, f"data.bin: {output}")
    linux_guest.power_off(machine)


def boot_from_disk(context, flavour, memory):
    """One guest installs the loader on a disk, the next one is booted by it."""
    disk = boot_media.write_extlinux_disk(os.path.join(context.folder, "disk.img"), flavour,
                                          build_shell(context, flavour, True))
    drive = ("-drive", f"file={disk},format=raw,if=ide,index=0")
    installer = boot_media.extlinux_installer(os.path.join(context.folder, "installer"), flavour)
    machine = context.start(*linux_guest.kernel_options(flavour, installer), *drive)
    machine.wait_serial(rf"{initramfs.DONE} 0", 90)
    check(machine.wait_exit() == 0, "power off after the installation")
    machine.close()
    machine = context.start("-m", str(memory), "-net", "none", *drive, "-boot", "c",
                            terminal=True)
    linux_guest.check_shell(machine)
    status, output = machine.run_command("mount -t ext4 /dev/sda1 /mnt && ls /mnt/boot")
    check(status == 0 and "ldlinux.sys" in output, f"the disk's files: {output}")
    linux_guest.power_off(machine)


@case
def cd(context):
    boot_from_cd(context, "686", 128)


@case
def disk(context):
    boot_from_disk(context, "686-pae", 256)


@case(long=True)
def cd_sizes(context):
    for flavour, memory in (("686", 64), ("686-pae", 64), ("686-pae", 512), ("686", 2048)):
        boot_from_cd(context, flavour, memory)
        context.machine.close()


@case(long=True)
def disk_without_pae(context):
    boot_from_disk(context, "686", 2048)


run_cases()
