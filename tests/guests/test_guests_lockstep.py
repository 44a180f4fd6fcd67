#!/usr/bin/env python3
"""Every guest there is under both backends at once: after each step of so many instructions both
machines have the same state, hash for hash. A line a guest tells how far they agreed.

The quick case takes some of the bare machine's programs a little way; the long one takes every guest - the
images of REPRISE_GUESTS, those of the build, systems out of Debian's packages - and runs as many
million instructions as REPRISE_LOCKSTEP_MILLIONS says, 200 by default.
"""
import glob
import itertools
import os
import subprocess
import time

import fetch_packages
import initramfs
from guest_test import Skip, case, check, run_cases

STEP = 100_000
FLOPPY = "file={},format=raw,if=floppy"
CONSOLE = "console=ttyS0"

# Images of the guests' folder: file, keys that are pressed on the way, options beside the floppy.
FLOPPIES = [
    ("freedos-160.img", "d,i,r,ret", ["-m", "64"]),
    ("freedos-360.img", "v,e,r,ret", ["-m", "64"]),
    ("freedos-1200.img", "d,i,r,ret", ["-m", "64"]),
    ("freedos-1440.img", "d,i,r,ret", ["-m", "64"]),
    ("freedos720k.img", "i,n,v,a,d,e,r,s,ret", ["-m", "64"]),
    ("freedos-tools.img", "2,ret,m,e,m,ret", ["-m", "32"]),
    ("freedos-net-sound.img", "1,ret,d,i,r,ret", ["-m", "32", "-device", "ne2k_isa"]),
    ("mikeos.img", "ret", ["-m", "64"]),
    ("bootos.img", "p,i,l,l,m,a,n,ret", ["-m", "64"]),
    ("floppybird.img", "spc,spc,spc,spc", ["-m", "64"]),
    ("kolibri.img", "", ["-m", "64"]),
    ("openbsd.img", "s,ret", ["-m", "64"]),
]


class Guest:
    """What to run and how far."""

    def __init__(self, name, options, millions, keys=""):
        self.name, self.options, self.millions, self.keys = name, options, millions, keys


def find_floppies(context, millions):
    for name, keys, options in FLOPPIES:
        path = context.guest(name)
        yield Guest(name, options + ["-boot", "a", "-drive", FLOPPY.format(path)], millions, keys)


def find_disks(context, millions):
    disk = context.copy("freedos-hdd.img.gz")
    yield Guest("freedos-hdd.img", ["-m", "64", "-hda", disk], millions, "ret")
    yield Guest("xv6.img", ["-m", "512", "-hda", context.guest("xv6.img"), "-hdb", context.guest("xv6-fs.img")],
                millions, "u,s,e,r,t,e,s,t,s,ret")


def find_own(context, millions, words=("",)):
    """Floppy images that the build assembled; those that name one of the words."""
    folder = os.path.join(os.path.dirname(os.path.abspath(context.emulator)), "roms")
    paths = sorted(path for pattern in ("*.img", "bare_metal/*.img", "bench/*.img", "screen/*.img")
                   for path in glob.glob(os.path.join(folder, pattern)))
    if not paths:
        raise Skip(f"{folder} has no images; build the project")
    for path in paths:
        if any(word in path for word in words):
            yield Guest(os.path.relpath(path, folder),
                        ["-m", "32", "-boot", "a", "-device", "isa-debug-exit", "-drive", FLOPPY.format(path)],
                        millions)


def find_packaged(context, millions):
    package = fetch_packages.package_file
    folder = os.path.join(context.folder, "initramfs")
    for flavour in ("686", "686-pae"):
        yield Guest(f"linux-{flavour}",
                    ["-m", "64", "-kernel", fetch_packages.kernel_image(flavour), "-initrd",
                     initramfs.build(folder + flavour, flavour), "-append", CONSOLE], millions)
    installer = "debian-installer-12-netboot-i386"
    images = "usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/"
    yield Guest("debian-installer",
                ["-m", "512", "-kernel", package(installer, images + "linux"), "-initrd",
                 package(installer, images + "initrd.gz"), "-append", CONSOLE], millions)
    yield Guest("memtest86+", ["-m", "32", "-kernel", package("memtest86+", "boot/memtest86+ia32.bin")],
                millions)
    yield Guest("grub-rescue.iso",
                ["-m", "64", "-cdrom", package("grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-cdrom.iso")],
                millions, "l,s,ret")
    yield Guest("grub-rescue.img",
                ["-m", "64", "-boot", "a", "-drive",
                 FLOPPY.format(package("grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-floppy.img"))],
                millions, "l,s,ret")
    yield Guest("ipxe", ["-m", "32", "-kernel", package("ipxe", "boot/ipxe.lkrn")], millions)


def run(context, guest):
    """True if the backends agreed."""
    command = [context.emulator, "lockstep", "--instructions", str(guest.millions * 1_000_000),
               "--step", str(STEP)]
    if guest.keys:
        command += ["--keys", guest.keys]
    command += guest.options + ["-snapshot", "-display", "none"]
    if "-device" not in guest.options or "ne2k_isa" not in guest.options:
        command += ["-net", "none"]
    start = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    output = (result.stdout + result.stderr).strip()
    good = result.returncode == 0 and "the backends agree over" in output
    print(f"{'ok  ' if good else 'FAIL'} {guest.name:36} {time.monotonic() - start:7.1f} s  {output}", flush=True)
    return good


def run_all(context, guests):
    if context.is_qemu or context.accelerator != "jit":
        raise Skip("lockstep runs both backends by itself")
    differing = [guest.name for guest in guests if not run(context, guest)]
    check(not differing, "the backends differ: " + ", ".join(differing))


@case
def a_few_programs(context):
    run_all(context, find_own(context, 60, ("demo.img", "tasks.img", "v8086_monitor.img", "real_calls.img")))


@case(long=True)
def every_guest(context):
    millions = int(os.environ.get("REPRISE_LOCKSTEP_MILLIONS", "200"))
    run_all(context, itertools.chain(find_floppies(context, millions), find_disks(context, millions),
                                     find_packaged(context, millions),
                                     find_own(context, max(millions // 4, 1))))


run_cases()
