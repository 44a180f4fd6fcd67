#!/usr/bin/env python3
"""Guests run the same on other hosts: the state hash after each million instructions is that of this host's translator, and
a snapshot made on one host goes on on the other.

    tests/hosts/same_hashes.py PROGRAM ROMS HOST

PROGRAM is this host's, HOST a preset of tests/hosts/. The other host's program is built in build/HOST, and run by QEMU's user
mode, by Wine, or by this host where it can. Status 77: its compiler, its libraries, QEMU or Wine are missing
(tests/hosts/fetch_libraries.py or build_libraries.py brings the libraries; in long runs, REPRISE_LONG=1, they are fetched and
built here). Recordings of one host are replayed on the other, too."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import build_libraries  # noqa: E402
import fetch_libraries  # noqa: E402
import wine  # noqa: E402
from fetch_libraries import fetch_packages  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LONG = os.environ.get("REPRISE_LONG") == "1"
SLICE = ["quirks"]
PROGRAMS = SLICE + ["fpu_errors", "paging", "tasks", "v8086", "code_changes", "string_restarts", "debug_traps", "smm",
                    "address_ends", "debug_registers", "fault_order", "identification", "nmi", "page_fault_kinds", "privilege",
                    "segment_ends", "segment_limits", "stepping", "system_registers", "transfer_faults", "v8086_monitor"]
# Hosts whose programs this host's processor runs by itself, which takes no long run.
FULL_SPEED = ("musl", "windows")
# Guests, and for how many seconds of theirs.
SYSTEMS = "mikeos=20 kolibri=20 xv6=10"
LINUX = " linux=4"


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def tools(host):
    """Where the libraries of HOST stand, who brings them, and what compiles for it."""
    if host in build_libraries.HOSTS:
        return build_libraries.library_folder(host), build_libraries.build, list(build_libraries.HOSTS[host][1:])
    return fetch_libraries.library_folder(host), fetch_libraries.fetch, [fetch_libraries.HOSTS[host][1] + "-gcc"]


def emulator(host):
    """The words before a program of HOST; none where this host runs it by itself."""
    if host == "musl":
        return []
    if host == "windows":
        return [(wine.find() or ["wine64"])[0]]
    triplet = (fetch_libraries.HOSTS[host][1] if host in fetch_libraries.HOSTS else build_libraries.HOSTS[host][0])
    libraries = os.path.join(tools(host)[0], "usr", "lib", triplet)
    return [f"qemu-{host}-static", "-L", f"/usr/{triplet}", "-E", "LD_LIBRARY_PATH=" + libraries]


def build(host, *targets):
    """Builds these targets for HOST, if what that takes is here; gives the build's folder."""
    libraries, bring, compilers = tools(host)
    for tool in (*compilers, *emulator(host)[:1], "cmake", "ninja", "nasm"):
        if not shutil.which(tool):
            skip(f"{tool} is missing")
    if not os.path.isdir(libraries):
        if not LONG:
            skip(f"the libraries of {host} are missing: tests/hosts/{bring.__module__}.py {host}")
        try:
            bring(host)
        except fetch_packages.PackageMissing as reason:
            skip(str(reason))
    folder = os.path.join(fetch_packages.REPOSITORY, "build", host)
    for command in (["cmake", "--preset", host], ["cmake", "--build", folder, "--target", *targets]):
        done = subprocess.run(command, cwd=fetch_packages.REPOSITORY, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"FAIL {' '.join(command)}: {(done.stdout + done.stderr)[-3000:]}")
    return folder


def run(program, roms, accelerator, **variables):
    """The hashes of hashes.lua."""
    words = [word for name, value in {"roms": roms, **variables}.items() for word in ("--var", f"{name}={value}")]
    with tempfile.NamedTemporaryFile("r") as log:
        done = subprocess.run([*program, "test", "--hash-log", log.name, *words, os.path.join(HERE, "hashes.lua"),
                               "-accel", accelerator], capture_output=True, text=True, timeout=3000)
        lines = log.read().splitlines()
    if done.returncode != 0:
        sys.exit(f"FAIL {program[-1]} -accel {accelerator}: status {done.returncode}: {done.stdout}{done.stderr}")
    return lines


def linux_files(program, roms):
    """Debian's kernel and an initramfs, where the packages are here."""
    with tempfile.NamedTemporaryFile("r") as file:
        scripts = os.path.join(os.path.dirname(HERE), "guests")
        done = subprocess.run([program, "test", "--var", "roms=" + roms, "--var", "to=" + file.name, "--var", "scripts=" + scripts,
                               os.path.join(HERE, "linux_files.lua")],
                              capture_output=True, text=True, timeout=600, check=False)
        lines = file.read().splitlines()
    if done.returncode != 0:
        sys.exit(f"FAIL linux_files.lua: {done.stdout}{done.stderr}")
    if not lines:
        print("without Linux: " + done.stdout.strip())
    return lines


def expect_same(name, lines, expected):
    if lines != expected:
        at = next((i for i, (a, b) in enumerate(zip(lines, expected)) if a != b), min(len(lines), len(expected)))
        sys.exit(f"FAIL {name}: line {at + 1} of {len(lines)} and {len(expected)}: {lines[at:at + 1]} != {expected[at:at + 1]}")
    print(f"ok   {name}: {len(lines)} hashes")


def program_name(host):
    return "reprise.exe" if host == "windows" else "reprise"


def surroundings(host, scratch):
    """What the programs of a host run in."""
    return wine.Prefix(os.path.join(scratch, "wine")) if host == "windows" else contextlib.nullcontext()


def accelerators(host):
    """The back ends of a host: the translator first, where it has one."""
    return ["jit", "interp"] if host in ("aarch64", "musl") else ["interp"]


def record(program, roms, path):
    """Half a second of the demo on the host's clock."""
    done = subprocess.run([*program, "-m", "16", "-display", "none", "-serial", "null", "-monitor", "stdio", "-record", path, "-fda",
                           os.path.join(roms, "demo.img")], input="sendkey g\nsendkey t\nquit\n", capture_output=True, text=True,
                          timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(f"FAIL {program[-1]} -record: {done.stdout}{done.stderr}")


def replay(program, path):
    done = subprocess.run([*program, "replay", path], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0 or "the state at the end is the recorded one" not in done.stdout:
        sys.exit(f"FAIL {program[-1]} replay: {done.stdout}{done.stderr}")
    return done.stdout


def check_recordings(native, foreign, roms, scratch):
    for recorder, name in ((native, "ours"), (foreign, "theirs")):
        path = os.path.join(scratch, name + ".recording")
        record(recorder, roms, path)
        if replay(native, path) != replay(foreign, path):
            sys.exit(f"FAIL {name}: the replays differ")
        print(f"ok   {name} recording replayed on both")


def main():
    native, roms, host = *map(os.path.abspath, sys.argv[1:3]), sys.argv[3]
    folder = build(host, "reprise")
    foreign = [*emulator(host), os.path.join(folder, program_name(host))]
    guests = os.environ.get("REPRISE_GUESTS") or os.path.join(fetch_packages.REPOSITORY, "..", "shared", "guests")
    dos = os.path.join(guests, "freedos-160.img")
    variables = {"programs": " ".join(PROGRAMS if LONG or host in FULL_SPEED else SLICE)}
    if LONG and os.path.exists(dos):
        variables["dos"] = dos
        variables["guests"] = guests
        variables["systems"] = SYSTEMS
        linux = linux_files(native, roms)
        if linux:
            variables["systems"] += LINUX
            variables["kernel"], variables["initramfs"] = linux
    with tempfile.TemporaryDirectory() as scratch, surroundings(host, scratch):
        ours, theirs = os.path.join(scratch, "ours"), os.path.join(scratch, "theirs")
        expected = run([native], roms, "jit", save=ours, **variables)
        different = len({line.split()[-1] for line in expected})  # programs share the firmware's first millions
        if different < 75 or different < len(expected) // 2:
            sys.exit(f"FAIL: {len(expected)} hashes, of which {different} differ, prove little")
        for accelerator in accelerators(host):
            lines = run(foreign, roms, accelerator, save=theirs, **variables)
            expect_same(f"{host}, {accelerator}", lines, expected)
        check_recordings([native], foreign, roms, scratch)
        goes_on = run([native], roms, "jit", load=ours)
        expect_same(f"from a snapshot of {host}", run([native], roms, "jit", load=theirs), goes_on)
        expect_same(f"from our snapshot on {host}", run(foreign, roms, accelerators(host)[0], load=ours), goes_on)


if __name__ == "__main__":
    main()
