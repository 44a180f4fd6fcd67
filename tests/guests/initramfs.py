#!/usr/bin/env python3
"""Makes an initramfs of Debian's i386 busybox, further programs and kernel modules.

    tests/guests/initramfs.py OUTPUT [--flavour 686] [--modules ata_piix,ext4] [--script FILE]
                              [--module-option libata=dma=0] [--package bc] [--file GUEST=HOST]

Without a script the guest ends in a shell on its console; with one it runs that and powers off.
The packages come from fetch_packages.
"""
import argparse
import gzip
import os
import re
import stat
import sys

import fetch_packages

# Modules (their dependencies follow by themselves) for the board's disks and what is on them.
DISK_MODULES = ["ata_piix", "sd_mod", "sr_mod"]
FILE_SYSTEM_MODULES = ["crc32c_generic", "ext4", "nls_cp437", "nls_ascii", "vfat", "isofs"]
# What programs that are linked dynamically need, for every package that holds such programs.
LIBRARIES = {
    "bc": ["libc6", "libreadline8", "libtinfo6"],
    "e2fsprogs": ["libc6", "libext2fs2", "libcom-err2"],
    "extlinux": ["libc6"],
    "hdparm": ["libc6"],
    "smartmontools": ["libc6", "libgcc-s1", "libpcre2-8-0", "libselinux1", "libstdc++6"],
}
READY = "initramfs is ready"
DONE = "initramfs script ended with status"

# The shell waits for its terminal's first line, so the script's end stands on a line of its own.
INIT_HEAD = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/ TERM=linux
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod /modules/$module || echo "insmod $module failed"; done </modules/order
echo "{READY}: $(uname -r)"
"""
INIT_SHELL = "while true; do setsid cttyhack sh; done\n"
INIT_SCRIPT = f"""sh /script
echo "{DONE} $?"
sync
poweroff -f
"""


class Archive:
    """A cpio archive in the format 'newc' (Documentation/driver-api/early-userspace/buffer-format)."""

    def __init__(self):
        self.parts = []
        self.folders = set()

    def _add(self, name, mode, data=b"", device=(0, 0)):
        number = len(self.parts) + 1
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self.parts.append(header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4))

    def add_folder(self, name):
        """Adds a folder and those above it, once."""
        name = name.strip("/")
        if name and name not in self.folders:
            self.add_folder(os.path.dirname(name))
            self.folders.add(name)
            self._add(name, stat.S_IFDIR | 0o755)

    def add_file(self, name, data, mode=0o644):
        self.add_folder(os.path.dirname(name))
        self._add(name.strip("/"), stat.S_IFREG | mode, data)

    def add_link(self, name, target):
        self.add_folder(os.path.dirname(name))
        self._add(name.strip("/"), stat.S_IFLNK | 0o777, target.encode())

    def add_character_device(self, name, major, minor):
        self.add_folder(os.path.dirname(name))
        self._add(name.strip("/"), stat.S_IFCHR | 0o600, device=(major, minor))

    def add_host_file(self, name, path):
        with open(path, "rb") as file:
            self.add_file(name, file.read(), stat.S_IMODE(os.stat(path).st_mode))

    def add_programs(self, package):
        """Adds programs, libraries and links of an unpacked package, without its documents."""
        root = fetch_packages.unpacked(package)
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name not in ("share", "gconv", "audit")]
            for name in files:
                path = os.path.join(folder, name)
                inside = os.path.relpath(path, root)
                if os.path.islink(path):
                    self.add_link(inside, os.readlink(path))
                else:
                    self.add_host_file(inside, path)

    def bytes(self):
        trailer = Archive()
        trailer._add("TRAILER!!!", 0)
        return b"".join(self.parts + trailer.parts)


class ModuleTree:
    """The modules of one kernel package, with what each depends on."""

    def __init__(self, flavour):
        root = fetch_packages.package_file(f"linux-image-{flavour}", "lib/modules/*")
        self.paths = {}
        for folder, _, files in os.walk(root):
            for name in files:
                if name.endswith(".ko"):
                    self.paths[name[:-3].replace("-", "_")] = os.path.join(folder, name)

    def _dependencies(self, name):
        with open(self.paths[name], "rb") as file:
            found = re.search(rb"\0depends=([^\0]*)\0", file.read())
        return [word.decode() for word in found.group(1).split(b",") if word] if found else []

    def order(self, names):
        """NAMES and all that they need, in an order that insmod accepts."""
        ordered = []

        def visit(name):
            name = name.replace("-", "_")
            if name not in self.paths:
                raise fetch_packages.PackageMissing(f"the kernel package holds no module {name}")
            path = self.paths[name]
            if path not in ordered:
                for dependency in self._dependencies(name):
                    visit(dependency)
                ordered.append(path)
        for name in names:
            visit(name)
        return ordered


def _module_line(path, options):
    name = os.path.basename(path)
    return f"{name} {options.get(name[:-3].replace('-', '_'), '')}".strip() + "\n"


def build(output, flavour="686", modules=(), script=None, packages=(), files=None, compress=False,
          module_options=None):
    """Writes the initramfs to the file OUTPUT and returns OUTPUT.

    SCRIPT is the text of a shell script; FILES maps paths in the guest to paths of the host, and
    MODULE_OPTIONS names of modules to their parameters.
    """
    archive = Archive()
    for folder in ("proc", "sys", "dev", "tmp", "mnt"):
        archive.add_folder(folder)
    archive.add_character_device("dev/console", 5, 1)
    archive.add_host_file("bin/busybox", fetch_packages.package_file("busybox-static",
                                                                     "bin/busybox"))
    ordered = ModuleTree(flavour).order(modules) if modules else []
    lines = "".join(_module_line(path, module_options or {}) for path in ordered)
    archive.add_file("modules/order", lines.encode())
    for path in ordered:
        archive.add_host_file("modules/" + os.path.basename(path), path)
    for package in dict.fromkeys(library for name in packages
                                 for library in [name, *LIBRARIES.get(name, [])]):
        archive.add_programs(package)
    for name, path in (files or {}).items():
        archive.add_host_file(name, path)
    if script is not None:
        archive.add_file("script", script.encode())
    init = INIT_HEAD + (INIT_SHELL if script is None else INIT_SCRIPT)
    archive.add_file("init", init.encode(), 0o755)
    data = archive.bytes()
    with open(output, "wb") as file:
        file.write(gzip.compress(data, 6, mtime=0) if compress else data)
    return output


def _pairs(words):
    return dict(word.split("=", 1) for word in words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("output")
    parser.add_argument("--flavour", default="686", choices=["686", "686-pae"])
    parser.add_argument("--modules", default="", help="names, separated by commas")
    parser.add_argument("--module-option", action="append", default=[], metavar="NAME=OPTIONS")
    parser.add_argument("--script", help="a shell script that the guest runs")
    parser.add_argument("--package", action="append", default=[], help="add its programs")
    parser.add_argument("--file", action="append", default=[], metavar="GUEST=HOST")
    parser.add_argument("--gzip", action="store_true")
    args = parser.parse_args()
    script = None
    if args.script:
        with open(args.script, encoding="utf-8") as file:
            script = file.read()
    try:
        build(args.output, args.flavour, [name for name in args.modules.split(",") if name],
              script, args.package, _pairs(args.file), args.gzip, _pairs(args.module_option))
    except fetch_packages.PackageMissing as reason:
        fetch_packages.exit_missing(reason)


if __name__ == "__main__":
    main()
