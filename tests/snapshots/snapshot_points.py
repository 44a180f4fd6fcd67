#!/usr/bin/env python3
"""Snapshots at random instructions of a run: loaded in a fresh process, each goes on to the hash
that the run has which was never saved; with every backend, also with another one than saved it.

    snapshot_points.py PROGRAM GUEST [POINTS]    GUEST: freedos, kolibri, xv6, linux, disk, pci_disks, all
"""
import os
import platform
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, "..", "guests"))

import fetch_packages  # noqa: E402
import guest_test  # noqa: E402
import initramfs  # noqa: E402

LONG = os.environ.get("REPRISE_LONG") == "1"
GUESTS = os.path.join(guest_test.REPOSITORY, "..", "shared", "guests")
# Keys for DOS: a directory, a copied file, another directory, and so on.
DOS_KEYS = "d,i,r,ret,c,o,p,y,spc,c,o,m,m,a,n,d,dot,c,o,m,spc,x,ret,d,e,l,spc,x,ret"
LINUX_SCRIPT = """while true; do
    dd if=/dev/zero bs=1M count=1 2>/dev/null | md5sum
    awk 'BEGIN { for (i = 1; i < 4000; i++) s += sqrt(i) * sin(i); print s }'
    find / -xdev | sort | tail -2
    sleep 1
done
"""


DISK_SCRIPT = """while true; do
    dd if=/bin/busybox of=/dev/sda bs=64k conv=fsync 2>/dev/null
    echo 3 >/proc/sys/vm/drop_caches
    md5sum /dev/sda
    dd if=/dev/sr0 bs=2048 count=100 | md5sum
done
"""


PCI_DISKS_SCRIPT = """while true; do
    for disk in vda nvme0n1 sda sdb; do
        dd if=/bin/busybox of=/dev/$disk bs=64k conv=fsync 2>/dev/null
    done
    echo 3 >/proc/sys/vm/drop_caches
    md5sum /dev/vda /dev/nvme0n1 /dev/sda /dev/sdb
    dd if=/dev/sr0 bs=2048 count=100 | md5sum
done
"""

# Everything moves data at the same time.
ALL_SCRIPT = """until test -b /dev/sdd; do sleep 1; done
(while sleep 1; do echo 3 >/proc/sys/vm/drop_caches; done) &
for disk in /dev/vda /dev/nvme0n1 /dev/sda /dev/sdb /dev/sdc /dev/sdd; do
    (while true; do dd if=/bin/busybox of=$disk bs=64k conv=fsync; cat $disk | md5sum; done) >/dev/null 2>&1 &
done
(while true; do dd if=/dev/sr0 bs=2048 count=100 | md5sum; done) >/dev/null 2>&1 &
(while true; do dd if=/bin/busybox of=/dev/fd0 bs=9k count=9 conv=fsync; cat /dev/fd0 | md5sum; done) >/dev/null 2>&1 &
for i in 0 1 2 3 4; do
    ifconfig eth$i 10.0.1$i.15 netmask 255.255.255.0 up
    ping -s 1400 -i 0.1 10.0.1$i.2 >/dev/null &
done
for i in "" 1 2; do
    (while true; do cat /bin/busybox >/dev/dsp$i; done) &
done
sleep 5
grep -E "[0-9]:" /proc/interrupts
cat /proc/net/dev
while true; do md5sum /bin/busybox >/dev/null; done
"""


def freedos(_):
    """First instruction, span, keys, options."""
    image = os.path.join(GUESTS, "freedos-1440.img")
    return 1_000_000, 400_000_000 if LONG else 100_000_000, DOS_KEYS, [
        "-m", "16", "-drive", f"file={image},format=raw,if=floppy,snapshot=on"]


def kolibri(_):
    image = os.path.join(GUESTS, "kolibri.img")
    return 1_000_000, 800_000_000 if LONG else 200_000_000, "-", [
        "-m", "64", "-drive", f"file={image},format=raw,if=floppy,snapshot=on"]


def xv6(_):
    """IDE by PIO, written to as well."""
    drives = [f"file={os.path.join(GUESTS, name)},format=raw,if=ide,index={index},snapshot=on"
              for index, name in enumerate(("xv6.img", "xv6-fs.img"))]
    keys = "m,k,d,i,r,spc,d,ret,r,m,spc,d,ret,l,s,ret"
    return 1_000_000, 400_000_000 if LONG else 100_000_000, keys, ["-m", "256", "-drive", drives[0], "-drive", drives[1]]


def disk(folder):
    """IDE by bus master, and a CD."""
    image = initramfs.build(os.path.join(folder, "initramfs"), "686", script=DISK_SCRIPT,
                            modules=["ata_piix", "sd_mod", "sr_mod"])
    path = os.path.join(folder, "disk.img")
    with open(path, "wb") as file:
        file.truncate(8 << 20)
    compact = os.path.join(GUESTS, "test-cd.iso")
    return 6_600_000_000, 1_500_000_000, "-", [
        "-m", "64", "-kernel", fetch_packages.kernel_image("686"), "-initrd", image,
        "-append", "console=ttyS0", "-serial", "null",
        "-drive", f"file={path},format=raw,if=ide,index=0,snapshot=on", "-cdrom", compact]


def pci_disks(folder):
    """Every controller on the PCI bus, and a CD behind one."""
    image = initramfs.build(os.path.join(folder, "initramfs"), "686", script=PCI_DISKS_SCRIPT,
                            modules=["virtio_pci", "virtio_blk", "ahci", "nvme", "sym53c8xx", "sd_mod", "sr_mod"])
    drives = []
    for name in ("v", "a", "n", "s"):
        path = os.path.join(folder, f"{name}.img")
        with open(path, "wb") as file:
            file.truncate(4 << 20)
        drives += ["-drive", f"file={path},format=raw,if=none,id={name},snapshot=on"]
    compact = os.path.join(GUESTS, "test-cd.iso")
    return 5_000_000_000, 800_000_000, "-", [
        "-m", "64", "-kernel", fetch_packages.kernel_image("686"), "-initrd", image,
        "-append", "console=ttyS0", "-serial", "null", *drives,
        "-drive", f"file={compact},if=none,id=c,media=cdrom", "-device", "virtio-blk-pci,drive=v",
        "-device", "ich9-ahci,id=ahci", "-device", "ide-hd,bus=ahci.0,drive=a", "-device", "ide-cd,bus=ahci.1,drive=c",
        "-device", "nvme,drive=n,serial=n", "-device", "lsi", "-device", "scsi-hd,drive=s"]


NETWORK_CARDS = {"e1000": "e1000", "ne2k_pci": "ne2k-pci", "virtio-net-pci": "virtio_net", "rtl8139": "8139cp",
                 "pcnet": "pcnet32"}
SOUND_CARDS = {"AC97": "snd_intel8x0", "ES1370": "snd_ens1370", "sb16": "snd_sb16"}


def everything(folder):
    """Each kind of disk, network card and sound card, a floppy drive, a CD drive and USB: all at work."""
    image = initramfs.build(os.path.join(folder, "initramfs"), "686", script=ALL_SCRIPT,
                            modules=["ata_piix", "virtio_pci", "virtio_blk", "ahci", "nvme", "sym53c8xx", "uhci_hcd",
                                     "usb_storage", "sd_mod", "sr_mod", "floppy", *NETWORK_CARDS.values(),
                                     *SOUND_CARDS.values(), "snd_pcm_oss"],
                            module_options={"snd_sb16": "isapnp=0 port=0x220 irq=5 dma8=1 dma16=5"})
    options = ["-m", "128", "-kernel", fetch_packages.kernel_image("686"), "-initrd", image,
               "-append", "console=ttyS0 net.ifnames=0", "-serial", "null",
               "-audiodev", "none,id=a", "-usb"]
    plugs = {"v": ["virtio-blk-pci"], "a": ["ich9-ahci,id=ahci", "ide-hd,bus=ahci.0"], "n": ["nvme,serial=n"],
             "s": ["lsi", "scsi-hd"], "u": ["usb-storage"], "i": ["ide-hd,bus=ide.0"]}
    for name, devices in plugs.items():
        path = os.path.join(folder, f"{name}.img")
        with open(path, "wb") as file:
            file.truncate(2 << 20)
        options += ["-drive", f"file={path},format=raw,if=none,id={name},snapshot=on"]
        devices = [*devices[:-1], f"{devices[-1]},drive={name}"]
        options += [word for device in devices for word in ("-device", device)]
    floppy = os.path.join(folder, "floppy.img")
    with open(floppy, "wb") as file:
        file.truncate(1474560)
    options += ["-drive", f"file={floppy},format=raw,if=floppy,snapshot=on",
                "-cdrom", os.path.join(GUESTS, "test-cd.iso")]
    for number, card in enumerate(NETWORK_CARDS):
        options += ["-netdev", f"user,id=n{number},net=10.0.1{number}.0/24", "-device", f"{card},netdev=n{number}"]
    for card in SOUND_CARDS:
        options += ["-device", f"{card},audiodev=a"]
    return 8_000_000_000, 800_000_000, "-", options


def linux(folder):
    """From the first instructions of the unpacked kernel to its programs."""
    image = initramfs.build(os.path.join(folder, "initramfs"), "686", script=LINUX_SCRIPT)
    return 2_350_000_000, 5_000_000_000 if LONG else 600_000_000, "-", [
        "-m", "64", "-kernel", fetch_packages.kernel_image("686"), "-initrd", image,
        "-append", "console=ttyS0", "-serial", "null"]


def run(program, accelerator, mode, numbers, options, snapshots):
    command = [program, *mode, *map(str, numbers), "-accel", accelerator, "-display", "none",
               "-icount", "shift=3", "-snapshots", snapshots, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=7200, check=False)
    if done.returncode != 0:
        sys.exit(f"FAIL {' '.join(command)}\n{done.stdout}{done.stderr}")
    if "REPRISE_DEVICES" in os.environ:
        print(" ".join(mode), done.stderr, sep="\n", flush=True)
    return dict(line.split() for line in done.stdout.splitlines())


def main():
    program, guest = sys.argv[1:3]
    points = int(sys.argv[3]) if len(sys.argv) > 3 else 1000 if LONG else 6
    further = 2_000_000
    accelerators = ["jit", "interp"] if platform.machine() in ("x86_64", "AMD64") else ["interp"]
    savers = os.environ.get("REPRISE_SAVERS", " ".join(accelerators if LONG else
                                                       accelerators[:1])).split()
    with tempfile.TemporaryDirectory(prefix="snapshot-points-") as folder:
        try:
            start, span, keys, options = {
                "freedos": freedos, "kolibri": kolibri, "xv6": xv6, "linux": linux,
                "disk": disk, "pci_disks": pci_disks, "all": everything}[guest](folder)
        except fetch_packages.PackageMissing as reason:
            print(f"skipped: {reason}")
            sys.exit(77)
        if not all(os.path.exists(option[5:].split(",")[0]) for option in options
                   if option.startswith("file=")):
            print("skipped: the guest is not there")
            sys.exit(77)
        numbers = [points, os.environ.get("REPRISE_SEED", 1), start, span, further, keys]
        snapshots = os.path.join(folder, "snapshots")
        expected = run(program, accelerators[0], ["reference"], numbers, options, snapshots)
        # The portable backend is slow: in short runs it only goes on from what the other saved.
        for saver in savers:
            if os.path.exists(snapshots):
                os.unlink(snapshots)
            saved = run(program, saver, ["save"], numbers, options, snapshots)
            if saved != expected:
                sys.exit(f"FAIL {guest}: the run is another one when it is saved ({saver})")
            size = os.path.getsize(snapshots) >> 20
            for point in range(points):
                for loader in accelerators if LONG or point % 3 == 0 else accelerators[:1]:
                    found = run(program, loader, ["resume", str(point)], numbers, options,
                                snapshots)
                    if found[str(point)] != expected[str(point)]:
                        sys.exit(f"FAIL {guest}: point {point} saved by {saver}, loaded by "
                                 f"{loader}: {found[str(point)]}, not {expected[str(point)]}")
            print(f"ok   {guest}: {points} points saved by {saver}, {size} MB")


main()
