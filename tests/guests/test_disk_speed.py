#!/usr/bin/env python3
"""How fast Linux reads and writes each kind of disk, beside the same under QEMU in the same run.

What counts is the processor time that the emulator takes for it, as other work on the host does not
change that; megabytes a second of the guest's own clock are printed, too.
"""
import os
import re
import shutil

import fetch_packages
import initramfs
import vm
from guest_test import Skip, case, check, run_cases

MEGABYTES = 200
ROUNDS = 3
LEAST = 1.0  # of QEMU's speed

DEVICES = {
    "IDE": ("sda", ["ata_piix", "sd_mod"], ["-device", "ide-hd,drive=d"]),
    "virtio-blk": ("vda", ["virtio_pci", "virtio_blk"], ["-device", "virtio-blk-pci,drive=d"]),
    "AHCI": ("sda", ["ahci", "sd_mod"], ["-device", "ich9-ahci,id=ahci", "-device", "ide-hd,drive=d,bus=ahci.0"]),
    "SCSI": ("sda", ["sym53c8xx", "sd_mod"], ["-device", "lsi", "-device", "scsi-hd,drive=d"]),
    "NVMe": ("nvme0n1", ["nvme"], ["-device", "nvme,drive=d,serial=speed"]),
    "USB": ("sda", ["uhci_hcd", "usb_storage", "sd_mod"], ["-usb", "-device", "usb-storage,drive=d"]),
}
# The wire of USB 1.1 moves one a second.
FEWER_MEGABYTES = {"USB": 6}

# The guest sleeps around each part, so that it does not matter when exactly the host looks.
SCRIPT = """
part() {{
  sleep 1; echo "begin $1"; sleep 1
  read before rest </proc/uptime
  shift
  i=0; while [ $i -lt {rounds} ]; do "$@" 2>/dev/null; echo 1 >/proc/sys/vm/drop_caches; i=$((i + 1)); done
  read after rest </proc/uptime
  echo "took $before $after"; sleep 1; echo "end"
}}
sleep 2
part read dd if=/dev/{disk} of=/dev/null bs=1M count={megabytes}
part write dd if=/dev/zero of=/dev/{disk} bs=1M count={megabytes} conv=fsync
"""


def processor_seconds(process):
    """User and system time of all threads."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(context, emulator, name):
    """{part: (MB a second of processor time, MB a second of the guest's clock)}"""
    disk, modules, options = DEVICES[name]
    megabytes = FEWER_MEGABYTES.get(name, MEGABYTES)
    script = SCRIPT.format(disk=disk, rounds=ROUNDS, megabytes=megabytes)
    initrd = initramfs.build(os.path.join(context.folder, "initrd"), modules=modules, script=script)
    image = os.path.join(context.folder, "disk.img")
    with open(image, "wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    moved, result = megabytes * ROUNDS, {}
    with vm.Vm(emulator, ["-m", "128", "-net", "none", "-cpu", "qemu32", "-kernel", fetch_packages.kernel_image("686"),
                          "-initrd", initrd, "-append", "console=ttyS0 quiet", "-drive",
                          f"if=none,id=d,format=raw,file={image}", *options]) as machine:
        for part in ("read", "write"):
            machine.wait_serial(f"begin {part}", 200)
            before = processor_seconds(machine.process)
            machine.wait_serial(f"(?s)begin {part}.*end", 300)
            seconds = processor_seconds(machine.process) - before
            took = re.findall(r"took ([\d.]+) ([\d.]+)", machine.read_serial())[-1]
            result[part] = (moved / seconds, moved / (float(took[1]) - float(took[0])))
    return result


def compare(context, name):
    qemu = shutil.which("qemu-system-i386")
    if not qemu or context.is_qemu:
        raise Skip("qemu-system-i386 is missing")
    theirs = measure(context, qemu, name)
    ours = measure(context, context.emulator, name)
    for part, (speed, guest_speed) in ours.items():
        print(f"{name} {part}: {speed:.0f} MB a second of processor time, QEMU {theirs[part][0]:.0f}; "
              f"{guest_speed:.0f} MB a second in the guest, QEMU {theirs[part][1]:.0f}")
    for part, (speed, _) in ours.items():
        check(speed >= LEAST * theirs[part][0], f"{name}: {part} is slower than under QEMU")


@case(long=True)
def virtio_blk(context):
    compare(context, "virtio-blk")


@case(long=True)
def ahci(context):
    compare(context, "AHCI")


@case(long=True)
def nvme(context):
    compare(context, "NVMe")


@case(long=True)
def scsi(context):
    compare(context, "SCSI")


@case(long=True)
def ide(context):
    compare(context, "IDE")


@case(long=True)
def usb(context):
    compare(context, "USB")


if __name__ == "__main__":
    run_cases()
