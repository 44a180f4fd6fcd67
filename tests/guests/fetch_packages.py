#!/usr/bin/env python3
"""Fetches the Debian i386 packages that guests are made of; unpacks them without installing.

    tests/guests/fetch_packages.py [--list] [NAME ...]
    tests/guests/fetch_packages.py --file NAME PATH

The second prints where a file of a package is, and ends with status 77 if it is missing.

apt gets a state folder of its own, so neither the host's package lists nor its architectures
change. The packages stay in build/packages, or where REPRISE_PACKAGES says; what is there is not
fetched again. Tests ask unpacked() and are skipped while a package is missing; in long runs
(REPRISE_LONG=1) it is fetched when it is asked for.
"""
import argparse
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHITECTURE = "i386"
EXIT_MISSING = 77
PACKAGES = [
    "linux-image-686", "linux-image-686-pae", "busybox-static", "bc", "libc6", "libreadline8",
    "libtinfo6", "e2fsprogs", "isolinux", "syslinux-common", "extlinux", "grub-rescue-pc",
    "memtest86+", "ipxe", "debian-installer-12-netboot-i386", "hdparm", "smartmontools",
    "libgcc-s1", "libpcre2-8-0", "libselinux1", "libstdc++6", "libext2fs2", "libcom-err2",
]
# These are empty; the kernel is in the package with a version in its name that they depend on.
KERNEL_METAPACKAGES = ("linux-image-686", "linux-image-686-pae")


class PackageMissing(Exception):
    """A package is not in the cache, or cannot be fetched; the message says why."""


def cache_folder():
    return os.environ.get("REPRISE_PACKAGES") or os.path.join(REPOSITORY, "build", "packages")


def unpacked(name):
    """The folder in which the files of the package NAME stand as they would below /."""
    folder = os.path.join(cache_folder(), "unpacked", name)
    if not os.path.isdir(folder) and os.environ.get("REPRISE_LONG") == "1":
        fetch([name])
    if not os.path.isdir(folder):
        raise PackageMissing(f"the package {name} is missing; "
                             "tests/guests/fetch_packages.py fetches it")
    return folder


def package_file(name, path):
    """The path of one file of a package. PATH may hold wild cards; the first match counts."""
    matches = sorted(glob.glob(os.path.join(unpacked(name), path)))
    if not matches:
        raise PackageMissing(f"the package {name} holds no {path}")
    return matches[0]


def kernel_image(flavour):
    """The bzImage of Debian's kernel; FLAVOUR is '686' (no PAE) or '686-pae'."""
    return package_file(f"linux-image-{flavour}", "boot/vmlinuz-*")


def run_tool(command, folder):
    result = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True,
                            env=dict(os.environ, LC_ALL="C"))
    if result.returncode != 0:
        raise PackageMissing(f"{' '.join(command[:1] + command[-2:])}: "
                             + (result.stderr.strip() or result.stdout.strip())[-300:])
    return result.stdout


class Apt:
    """apt with package lists of its own for one architecture, and the host's sources."""

    def __init__(self, folder, architecture=ARCHITECTURE):
        self.folder = folder
        for name in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        with open(os.path.join(folder, "status"), "w"):
            pass  # nothing is installed
        self.options = []
        for setting in (f"Dir::State={folder}/state", f"Dir::State::status={folder}/status",
                        f"Dir::Cache={folder}/cache", f"APT::Architecture={architecture}",
                        f"APT::Architectures={architecture}", "APT::Sandbox::User=root",
                        "Acquire::Languages=none", "Acquire::Retries=2"):
            self.options += ["-o", setting]

    def update(self):
        """A list that cannot be had is no failure yet: another may hold the packages."""
        try:
            run_tool(["apt-get", *self.options, "-q", "update"], self.folder)
        except PackageMissing as reason:
            print(f"apt-get update: {reason}", file=sys.stderr)

    def download(self, name, target):
        """Downloads one package into the folder TARGET; returns the file's path."""
        run_tool(["apt-get", *self.options, "-q", "download", name], target)
        return glob.glob(os.path.join(target, glob.escape(name) + "_*.deb"))[0]


def _fetch_one(apt, name, target):
    """Downloads NAME and unpacks it as TARGET, which appears only when it is complete."""
    work = tempfile.mkdtemp(dir=cache_folder())
    try:
        archive = apt.download(name, work)
        if name in KERNEL_METAPACKAGES:
            depends = run_tool(["dpkg-deb", "-f", archive, "Depends"], work)
            archive = apt.download(re.match(r"\s*([^\s,(]+)", depends).group(1), work)
        files = os.path.join(work, "files")
        run_tool(["dpkg-deb", "-x", archive, files], work)
        os.rename(files, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def fetch(names=None, report=lambda line: None):
    """Fetches those of NAMES (all PACKAGES without) that are not unpacked yet."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise PackageMissing(f"{tool} is missing: packages can be fetched on Debian only")
    os.makedirs(os.path.join(cache_folder(), "unpacked"), exist_ok=True)
    with open(os.path.join(cache_folder(), "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        targets = {name: os.path.join(cache_folder(), "unpacked", name)
                   for name in names or PACKAGES}
        absent = [name for name, target in targets.items() if not os.path.isdir(target)]
        if not absent:
            return
        apt = Apt(os.path.join(cache_folder(), "apt"))
        apt.update()
        for name in absent:
            report(f"fetching {name}")
            _fetch_one(apt, name, targets[name])


def exit_missing(reason):
    """Ends a program that makes guests: what it needs is not there, which is no failure of its."""
    print(reason, file=sys.stderr)
    sys.exit(EXIT_MISSING)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="packages; default: all")
    parser.add_argument("--list", action="store_true", help="print the names of the packages")
    parser.add_argument("--file", action="store_true",
                        help="print the path of a file: NAME is a package and a path in it")
    args = parser.parse_args()
    if args.list:
        print("\n".join(PACKAGES))
        return
    try:
        if args.file:
            print(package_file(*args.names))
            return
        fetch(args.names, print)
    except PackageMissing as reason:
        exit_missing(reason)
    print(f"the packages are in {cache_folder()}")


if __name__ == "__main__":
    main()
