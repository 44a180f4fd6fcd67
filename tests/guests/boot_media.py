#!/usr/bin/env python3
"""Makes media from which Debian's Linux starts by itself, and disks with files.

    tests/guests/boot_media.py cd OUTPUT --initramfs FILE [--flavour 686] [--append WORDS]
                               [--file NAME=HOST]
    tests/guests/boot_media.py extlinux OUTPUT --initramfs FILE [--flavour 686] [--append WORDS]
    tests/guests/boot_media.py ext4 OUTPUT --megabytes 40 [--folder FOLDER]
    tests/guests/boot_media.py fat32 OUTPUT --megabytes 40
    tests/guests/boot_media.py debian OUTPUT --megabytes 1200
    tests/guests/boot_media.py desktop OUTPUT --megabytes 2400

The CD is started by isolinux. The disks for extlinux and with Debian, an installed system (as "desktop" with X and what
desktop.py starts there), have everything but the loader, which a guest has to install. The status is 77 when a package or a tool of the host is missing.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys

import desktop
import fetch_packages
import initramfs
import iso_image

PARTITION_OFFSET = 1 << 20
# Else drawn at random, or today's: the same guest is to see the same disk in every run.
FIXED_UUID = "52657072-6973-4520-8000-000000000001"
FIXED_TIME = "1577836800"
MBR_CODE_BYTES = 440
# What an installed system has besides the base: it starts by itself, has a kernel, and can check its file system.
DEBIAN_PACKAGES = "systemd-sysv,udev,linux-image-686-pae,e2fsprogs"
DESKTOP_PACKAGES = ("xserver-xorg-core,xserver-xorg-video-cirrus,xserver-xorg-video-vesa,xserver-xorg-video-fbdev,"
                    "xserver-xorg-input-libinput,xinit,x11-apps,x11-utils,x11-xserver-utils,xinput,xdotool,xterm,icewm,"
                    "xfonts-base,xfonts-75dpi")
# The kernel's drivers of the adapters are loaded where a server is to use them.
DESKTOP_WORDS = "modprobe.blacklist=cirrus,bochs"
DEBIAN_FILES = {
    "etc/fstab": "/dev/sda1 / ext4 errors=remount-ro 0 1\n",
    "etc/hostname": "reprise\n",
    "etc/machine-id": "5265707269736545800000000000000a\n",
}


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _configuration(kernel, image, append):
    return (f"serial 0 115200\nprompt 0\ndefault linux\nlabel linux\n kernel {kernel}\n"
            f" append initrd={image} console=ttyS0 {append}\n").encode()


def write_cd(output, flavour, initramfs_path, append="", files=None):
    """A CD that starts Linux by isolinux; FILES, {path: bytes}, stand on it besides."""
    modules = "usr/lib/syslinux/modules/bios"
    contents = {
        "isolinux/isolinux.bin": _read(fetch_packages.package_file(
            "isolinux", "usr/lib/ISOLINUX/isolinux.bin")),
        "isolinux/ldlinux.c32": _read(fetch_packages.package_file(
            "syslinux-common", f"{modules}/ldlinux.c32")),
        "isolinux/isolinux.cfg": _configuration("/vmlinuz", "/initrd.img", append),
        "vmlinuz": _read(fetch_packages.kernel_image(flavour)),
        "initrd.img": _read(initramfs_path),
    }
    contents.update(files or {})
    return iso_image.write(output, contents, boot="isolinux/isolinux.bin")


def run_tool(*command):
    """Runs a program of the host; returns its output."""
    name = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not name:
        raise fetch_packages.PackageMissing(f"{command[0]} is missing")
    result = subprocess.run([name, *command[1:]], capture_output=True, check=False,
                            env={**os.environ, "E2FSPROGS_FAKE_TIME": FIXED_TIME})
    output = (result.stdout + result.stderr).decode(errors="replace")
    if result.returncode != 0:
        raise OSError(f"{' '.join(command)}: status {result.returncode}: {output}")
    return output


def write_partition_table(path, megabytes, partition_type=0x83):
    """A disk of MEGABYTES with one active partition behind the first one."""
    sectors = (megabytes << 20) // 512
    first = PARTITION_OFFSET // 512
    entry = (b"\x80\xfe\xff\xff" + bytes([partition_type]) + b"\xfe\xff\xff"
             + first.to_bytes(4, "little") + (sectors - first).to_bytes(4, "little"))
    with open(path, "wb") as disk:
        disk.truncate(megabytes << 20)
        disk.seek(446)
        disk.write(entry + bytes(48) + b"\x55\xaa")
    return path


def write_ext4_disk(path, megabytes, folder=None):
    """A disk with one ext4 partition that holds the files of FOLDER, made by the host's mke2fs."""
    write_partition_table(path, megabytes)
    source = ["-d", folder] if folder else []
    # extlinux 6.04 reads neither 64-bit block numbers nor metadata checksums, and no file with
    # holes: mke2fs leaves one for each block of zeros, so what is booted should be compressed.
    run_tool("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-O", "^64bit,^metadata_csum", *source,
             "-U", FIXED_UUID, "-E", f"offset={PARTITION_OFFSET},hash_seed={FIXED_UUID}", path, f"{megabytes - 1}M")
    return path


def write_fat32_disk(path, megabytes):
    """A disk with one empty FAT32 partition of small clusters."""
    write_partition_table(path, megabytes, 0x0C)
    run_tool("mkfs.vfat", "--invariant", "-F", "32", "-s", "1", f"--offset={PARTITION_OFFSET // 512}", path,
             str((megabytes - 1) << 10))
    return path


def write_boot_code(path):
    """Makes the disk start what is installed in its active partition."""
    with open(path, "r+b") as disk:
        disk.write(_read(fetch_packages.package_file(
            "syslinux-common", "usr/lib/syslinux/mbr/mbr.bin"))[:MBR_CODE_BYTES])


def write_extlinux_disk(path, flavour, initramfs_path, append=""):
    """A disk with everything for a boot by extlinux but the loader, which a guest has to install."""
    folder = path + ".files"
    os.makedirs(os.path.join(folder, "boot"))
    shutil.copy(fetch_packages.kernel_image(flavour), os.path.join(folder, "boot", "vmlinuz"))
    shutil.copy(initramfs_path, os.path.join(folder, "boot", "initrd.img"))
    with open(os.path.join(folder, "boot", "extlinux.conf"), "wb") as file:
        file.write(_configuration("/boot/vmlinuz", "/boot/initrd.img", append))
    shutil.copy(fetch_packages.package_file("syslinux-common",
                                            "usr/lib/syslinux/modules/bios/ldlinux.c32"),
                os.path.join(folder, "boot"))
    write_ext4_disk(path, 48, folder)
    shutil.rmtree(folder)
    write_boot_code(path)
    return path


def _bootstrap(folder, packages):
    """Debian's base system in a folder, by debootstrap, which runs programs of it: as root, on an x86 host. What it
    fetches stays beside the other packages."""
    if os.geteuid() != 0 or os.uname().machine not in ("x86_64", "i686"):
        raise fetch_packages.PackageMissing("debootstrap for i386 wants root and an x86 host")
    if os.environ.get("REPRISE_LONG") != "1":
        raise fetch_packages.PackageMissing("a Debian system is fetched in long runs only")
    cache = os.path.join(fetch_packages.cache_folder(), "debootstrap")
    os.makedirs(cache, exist_ok=True)
    run_tool("debootstrap", f"--cache-dir={os.path.abspath(cache)}", "--arch=i386", "--variant=minbase",
             f"--include={packages}", "bookworm", folder)


def write_debian_disk(path, megabytes, is_desktop=False):
    """A disk with Debian installed: root without a password, a login on the serial port, its packages in apt's cache;
    or with a desktop, and without the packages."""
    folder = path + ".files"
    _bootstrap(folder, DEBIAN_PACKAGES + ("," + DESKTOP_PACKAGES if is_desktop else ""))
    if is_desktop:
        shutil.rmtree(os.path.join(folder, "var/cache/apt/archives"))
    for name, text in {**DEBIAN_FILES, **(desktop.FILES if is_desktop else {})}.items():
        os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
        if text.startswith("#!"):
            os.chmod(os.path.join(folder, name), 0o755)
    run_tool("chroot", folder, "passwd", "-d", "root")
    for name in ("vmlinuz", "initrd.img"):
        os.rename(glob.glob(os.path.join(folder, "boot", name + "-*"))[0], os.path.join(folder, "boot", name))
    with open(os.path.join(folder, "boot", "extlinux.conf"), "wb") as file:
        file.write(_configuration("/boot/vmlinuz", "/boot/initrd.img", "root=/dev/sda1 rw quiet"
                                  + (" " + DESKTOP_WORDS if is_desktop else "")))
    shutil.copy(fetch_packages.package_file("syslinux-common", "usr/lib/syslinux/modules/bios/ldlinux.c32"),
                os.path.join(folder, "boot"))
    write_ext4_disk(path, megabytes, folder)
    shutil.rmtree(folder)
    write_boot_code(path)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=["cd", "extlinux", "ext4", "fat32", "debian", "desktop"])
    parser.add_argument("output")
    parser.add_argument("--initramfs")
    parser.add_argument("--flavour", default="686", choices=["686", "686-pae"])
    parser.add_argument("--append", default="", help="words for the kernel's command line")
    parser.add_argument("--file", action="append", default=[], metavar="NAME=HOST")
    parser.add_argument("--megabytes", type=int)
    parser.add_argument("--folder")
    args = parser.parse_args()
    if args.kind in ("cd", "extlinux") and not args.initramfs:
        parser.error("--initramfs is missing")
    if args.kind in ("ext4", "fat32", "debian", "desktop") and not args.megabytes:
        parser.error("--megabytes is missing")
    try:
        if args.kind == "cd":
            files = {name: _read(path) for name, path in (pair.split("=", 1) for pair in args.file)}
            write_cd(args.output, args.flavour, args.initramfs, args.append, files)
        elif args.kind == "extlinux":
            write_extlinux_disk(args.output, args.flavour, args.initramfs, args.append)
        elif args.kind == "ext4":
            write_ext4_disk(args.output, args.megabytes, args.folder)
        elif args.kind in ("debian", "desktop"):
            write_debian_disk(args.output, args.megabytes, args.kind == "desktop")
        else:
            write_fat32_disk(args.output, args.megabytes)
    except fetch_packages.PackageMissing as reason:
        fetch_packages.exit_missing(reason)
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
