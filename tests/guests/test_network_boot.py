#!/usr/bin/env python3
"""The BIOS boots from each network card by the distribution's iPXE, which loads Linux by TFTP."""
import glob
import os
import shutil

import fetch_packages
import initramfs
from guest_test import Skip, case, check, run_cases

# By the ends of the names of iPXE's ROMs.
CARDS = {"e1000": "e1000", "ne2k_pci": "ne2k_pci", "pcnet": "pcnet", "rtl8139": "rtl8139",
         "virtio-net-pci": "virtio"}
ROM_FOLDERS = ["/usr/lib/ipxe/qemu", "/usr/share/qemu"]
ADDRESS = "52:54:00:ab:cd:01"
IPXE_SCRIPT = """#!ipxe
kernel tftp://${next-server}/vmlinuz console=ttyS0 quiet booted=${net0/mac}
initrd tftp://${next-server}/initrd
boot
"""
GUEST_SCRIPT = "cat /proc/cmdline\n"


def make_folder(context):
    """What the TFTP server has."""
    folder = os.path.join(context.folder, "tftp")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(fetch_packages.kernel_image("686"), os.path.join(folder, "vmlinuz"))
    initramfs.build(os.path.join(folder, "initrd"), script=GUEST_SCRIPT, compress=True)
    with open(os.path.join(folder, "boot.ipxe"), "w", encoding="ascii") as file:
        file.write(IPXE_SCRIPT)
    return folder


def boot(context, card, *order):
    """ORDER: what makes the BIOS boot from the network."""
    if not any(glob.glob(f"{folder}/*-{CARDS[card]}.rom") for folder in ROM_FOLDERS):
        raise Skip(f"Debian's package ipxe-qemu, with the ROM of {card}, is missing")
    folder = make_folder(context)
    with context.start("-m", "128", "-netdev", f"user,id=lan,tftp={folder},bootfile=boot.ipxe",
                       "-device", f"{card},netdev=lan,mac={ADDRESS}{order[0]}",
                       *order[1:]) as machine:
        if "without libslirp" in machine.read_log():
            raise Skip("this build has no network 'user'")
        machine.wait_serial(initramfs.DONE, 120)
        log = machine.read_serial()
        check(f"{initramfs.DONE} 0" in log, log)
        check(f"booted={ADDRESS}" in log, f"another kernel, or booted otherwise: {log}")


def add_case(card):
    def body(context):
        boot(context, card, ",bootindex=0")
    body.__name__ = f"boots_from_{card}"
    case(body)


for name in CARDS:
    add_case(name)


@case
def boots_by_the_order_of_kinds(context):
    boot(context, "e1000", "", "-boot", "n")


if __name__ == "__main__":
    run_cases()
