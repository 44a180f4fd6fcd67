#!/usr/bin/env python3
"""What Linux writes to a disk, by bus master and by PIO, on ext4 and FAT, is whole outside."""
import filecmp
import os
import random
import re

import boot_media
import initramfs
import linux_guest
from guest_test import case, check, mtools, run_cases

TRANSFER_MODE = {"dma": r"^XFER_(UDMA|MW_DMA)_", "pio": r"^XFER_PIO_4"}
# Linux names the disks in the order in which they answer, so they are found by their addresses.
SCRIPT = """set -e
disk() { for i in /sys/block/sd*; do readlink $i/device | grep -q "/$1" && basename $i; done; }
cat /sys/class/ata_device/dev1.0/xfer_mode
mkdir /source /target
mount -o ro /dev/$(disk 0:0:1:0)1 /source
mount /dev/$(disk 0:0:0:0)1 /target
cp -r /source/files/* /target/
rm -r /target/small
cp -r /source/files/small /target/
mv /target/large /target/moved
sync
echo 3 >/proc/sys/vm/drop_caches
cd /source/files && find . -type f | sort | xargs md5sum | sed 's|./large/|./moved/|' >/sums
cd /target && md5sum -c /sums | grep -v ': OK$' && exit 1
cd / && umount /target && umount /source
"""


def write_source(context, megabytes):
    """Makes a folder of files, a few large and many small, and a disk that holds it."""
    folder = os.path.join(context.folder, "source")
    numbers = random.Random(megabytes)
    large, small = os.path.join(folder, "files", "large"), os.path.join(folder, "files", "small")
    os.makedirs(large)
    os.makedirs(small)
    for i in range(150):
        with open(os.path.join(small, f"s{i}.bin"), "wb") as file:
            file.write(numbers.randbytes(numbers.randrange(12000)))
    for i in range(4):
        with open(os.path.join(large, f"l{i}.bin"), "wb") as file:
            file.write(numbers.randbytes((megabytes << 18) + i))
    return folder, boot_media.write_ext4_disk(os.path.join(context.folder, "source.img"),
                                              megabytes * 5 // 4 + 16, folder)


def write_target(context, file_system, megabytes):
    path = os.path.join(context.folder, "target.img")
    size = megabytes * 3 // 2 + 40
    if file_system == "ext4":
        return boot_media.write_ext4_disk(path, size)
    boot_media.write_partition_table(path, size, 0x0C)
    first = boot_media.PARTITION_OFFSET // 512
    boot_media.run_tool("mkfs.vfat", "-F", "32", "-s", "1", f"--offset={first}", path,
                        str((size - 1) << 10))
    return path


def read_ext4(context, disk):
    """Checks the file system outside; returns the folder with what it holds."""
    image = f"{disk}?offset={boot_media.PARTITION_OFFSET}"
    boot_media.run_tool("e2fsck", "-fn", image)
    folder = os.path.join(context.folder, "read")
    os.mkdir(folder)
    boot_media.run_tool("debugfs", "-R", f"rdump / {folder}", image)
    return folder


def read_fat(context, disk):
    partition = os.path.join(context.folder, "partition.img")
    boot_media.run_tool("dd", f"if={disk}", f"of={partition}", "bs=1M", "skip=1", "conv=sparse")
    boot_media.run_tool("fsck.vfat", "-n", partition)
    folder = os.path.join(context.folder, "read")
    os.mkdir(folder)
    mtools("mcopy", partition, "-s", "::*", folder)
    return folder


def compare(source, target):
    for name, moved in (("small", "small"), ("large", "moved")):
        first, second = os.path.join(source, "files", name), os.path.join(target, moved)
        names = sorted(os.listdir(first))
        check(names == sorted(os.listdir(second)), f"{moved} holds other files")
        _, different, unread = filecmp.cmpfiles(first, second, names, shallow=False)
        check(not different and not unread, f"these differ: {different + unread}")


def copy_files(context, file_system, mode, megabytes, seconds=200):
    source, source_disk = write_source(context, megabytes)
    target = write_target(context, file_system, megabytes)
    options = {"libata": "dma=0"} if mode == "pio" else {}
    image = initramfs.build(os.path.join(context.folder, "initramfs"), "686",
                            initramfs.DISK_MODULES + initramfs.FILE_SYSTEM_MODULES, SCRIPT,
                            module_options=options)
    machine = context.start(*linux_guest.kernel_options("686", image, memory=192),
                            "-drive", f"file={target},format=raw,if=ide,index=0",
                            "-drive", f"file={source_disk},format=raw,if=ide,index=1")
    machine.wait_serial(rf"{initramfs.DONE} 0", seconds)
    check(machine.wait_exit() == 0, "power off")
    log = machine.read_serial()
    check(re.search(TRANSFER_MODE[mode], log, re.M), f"another transfer mode: {log}")
    check("EXT4-fs error" not in log and "I/O error" not in log, f"Linux found errors: {log}")
    compare(source, (read_ext4 if file_system == "ext4" else read_fat)(context, target))


@case
def ext4_dma(context):
    copy_files(context, "ext4", "dma", 12)


@case
def fat_pio(context):
    copy_files(context, "fat", "pio", 6)


@case(long=True)
def ext4_dma_200_mb(context):
    copy_files(context, "ext4", "dma", 200, 900)


@case(long=True)
def ext4_pio_200_mb(context):
    copy_files(context, "ext4", "pio", 200, 900)


@case(long=True)
def fat_dma_200_mb(context):
    copy_files(context, "fat", "dma", 200, 900)


@case(long=True)
def fat_pio_200_mb(context):
    copy_files(context, "fat", "pio", 200, 900)


run_cases()
