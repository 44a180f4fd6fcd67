#!/usr/bin/env python3
"""Fetches Debian's libraries of another architecture, which cross builds link with.

    tests/hosts/fetch_libraries.py aarch64|s390x ...

They are unpacked, not installed: into build/hosts/TRIPLET, or where REPRISE_HOST_LIBRARIES says.
Ends with status 77 if they cannot be had.
"""
import argparse
import fcntl
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guests"))
import fetch_packages  # noqa: E402

# The first word of a tool chain file's name, what Debian calls the architecture, and its triplet.
HOSTS = {
    "aarch64": ("arm64", "aarch64-linux-gnu"),
    "s390x": ("s390x", "s390x-linux-gnu"),
}
PACKAGES = [
    "zlib1g", "zlib1g-dev", "libzstd1", "libzstd-dev", "libxxhash0", "libxxhash-dev",
    "liblua5.4-0", "liblua5.4-dev", "libjson-c5", "libjson-c-dev", "libpng16-16", "libpng-dev",
    "libreadline8", "libtinfo6", "check", "libsubunit0", "libsubunit-dev",
]


def library_folder(host):
    """Where the libraries of HOST stand as they would below /."""
    top = os.environ.get("REPRISE_HOST_LIBRARIES")
    return os.path.join(top or os.path.join(fetch_packages.REPOSITORY, "build", "hosts"),
                        HOSTS[host][1])


def _gather(folder, triplet):
    """Moves what lies in /lib to /usr/lib, where links from there look for it as well."""
    libraries = os.path.join(folder, "usr", "lib", triplet)
    old = os.path.join(folder, "lib", triplet)
    for name in os.listdir(old) if os.path.isdir(old) else ():
        os.rename(os.path.join(old, name), os.path.join(libraries, name))
    for name in os.listdir(libraries):
        path = os.path.join(libraries, name)
        if os.path.islink(path) and os.path.isabs(os.readlink(path)):
            target = os.path.basename(os.readlink(path))
            os.unlink(path)
            os.symlink(target, path)


def fetch(host):
    """Fetches and unpacks the libraries of HOST, unless they are there; gives their folder."""
    target = library_folder(host)
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise fetch_packages.PackageMissing(f"{tool} is missing: Debian alone has these")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(target):
            return target
        work = tempfile.mkdtemp(dir=os.path.dirname(target))
        try:
            apt = fetch_packages.Apt(os.path.join(work, "apt"), HOSTS[host][0])
            apt.update()
            files = os.path.join(work, "files")
            for name in PACKAGES:
                archive = apt.download(name, work)
                fetch_packages.run_tool(["dpkg-deb", "-x", archive, files], work)
            _gather(files, HOSTS[host][1])
            os.rename(files, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def run_command(description, hosts, prepare):
    """The command line of this script and its like: prints the folder of each host that is named."""
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("hosts", nargs="+", choices=sorted(hosts), metavar="HOST")
    try:
        for host in parser.parse_args().hosts:
            print(prepare(host))
    except fetch_packages.PackageMissing as reason:
        fetch_packages.exit_missing(reason)


if __name__ == "__main__":
    run_command(__doc__, HOSTS, fetch)
