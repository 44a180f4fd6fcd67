#!/usr/bin/env python3
"""savevm, loadvm, delvm and 'info snapshots' in the monitor, -loadvm and -snapshots on the command
line: what they do, and what they say where they cannot.

    snapshot_commands.py PROGRAM
"""
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guests"))

import vm  # noqa: E402

PROGRAM = sys.argv[1]
SMALL = ["-m", "4", "-icount", "shift=3"]


def check(good, what):
    if not good:
        sys.exit(f"FAIL {what}")


def start(*options):
    return vm.Vm(PROGRAM, list(options))


def fails(words, *options):
    """The program ends with status 1 and one line."""
    done = subprocess.run([PROGRAM, "-display", "none", *options], capture_output=True, text=True,
                          timeout=120, check=False)
    check(done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1,
          f"{options}: status {done.returncode}, '{done.stderr}'")


def names(machine):
    lines = machine.execute("info snapshots").splitlines()[2:]
    return [line.split()[1] for line in lines]


def state(machine):
    return machine.execute("info hash").strip()


def wait_for_change(machine):
    before, end = state(machine), time.monotonic() + 120
    while state(machine) == before:
        check(time.monotonic() < end, "the machine runs")
        time.sleep(0.05)


def goes_back_and_forth(folder):
    options = [*SMALL, "-snapshots", os.path.join(folder, "s")]
    with start(*options) as machine:
        check("There is no snapshot available." in machine.execute("info snapshots"), "empty list")
        check(machine.execute("savevm running").strip() == "", "savevm says nothing")
        check("running" in machine.execute("info status"), "savevm lets the machine run on")
        wait_for_change(machine)
        machine.execute("stop")
        first = state(machine)
        machine.execute("savevm one")
        check(state(machine) == first, "savevm changes nothing")
        check("paused" in machine.execute("info status"), "savevm leaves it stopped")
        machine.execute("cont")
        machine.execute("loadvm running")
        check("running" in machine.execute("info status"), "loadvm lets it run on")
        machine.execute("stop")
        check(state(machine) != first, "it ran")
        machine.execute("loadvm one")
        check(state(machine) == first, "loadvm goes back")
        check("paused" in machine.execute("info status"), "loadvm leaves it stopped")
        machine.execute("savevm 'two words'")
        machine.execute("loadvm running")
        machine.execute("savevm three")
        check(names(machine) == ["running", "one", "two", "three"], f"list: {names(machine)}")
        listing = machine.execute("info snapshots")
        check(re.search(r"^ID +TAG +VM SIZE +DATE +VM CLOCK +ICOUNT +PARENT$", listing, re.M),
              listing)
        check(re.search(r"three .* running \(now here\)$", listing, re.M)
              and re.search(r"two words .* one$", listing, re.M)
              and re.search(r"one .* running$", listing, re.M), f"tree: {listing}")
        machine.execute("savevm")
        check(re.search(r"vm-\d{14}", machine.execute("info snapshots")), "a name by the date")
        machine.execute("delvm one")
        check("one" not in names(machine), "delvm")
        check(re.search(r"two words .* running$", machine.execute("info snapshots"), re.M),
              "the children of a removed one")
        check("processor: pentium4" in machine.execute("info snapshots three"), "description")
        for command in ("loadvm one", "delvm one", "info snapshots one"):
            answer = machine.execute(command)
            check(answer.startswith("Error: there is no snapshot 'one' in ")
                  and answer.count("\n") == 1, f"{command}: {answer}")
        check("name expected" in machine.execute("loadvm"), "loadvm without a name")
        machine.execute("loadvm three")
        return options, state(machine)


def starts_from_one(options, expected):
    with start(*options, "-S", "-loadvm", "three") as machine:
        check(state(machine) == expected, "-loadvm in another process")
        check("three" in machine.execute("info snapshots") and
              "(now here)" in machine.execute("info snapshots"), "where it is")
    with start(*options, "-loadvm", "three") as machine:
        check("running" in machine.execute("info status"), "-loadvm runs")
    for accelerator in ("jit", "interp"):
        with start(*options, "-S", "-loadvm", "three", "-accel", accelerator) as machine:
            check(state(machine) == expected, f"-loadvm under {accelerator}")


def refuses_others(options):
    path = options[-1]
    rest = ["-icount", "shift=3", "-snapshots", path, "-loadvm", "three"]
    fails("there is no snapshot 'nosuch' in ", *options, "-loadvm", "nosuch")
    fails("snapshot 'three' is of another machine: memory RAM is '4096 KB' in the snapshot and "
          "'8192 KB' here", "-m", "8", *rest)
    fails("processor is 'pentium4' in the snapshot and 'pentium3' here", "-m", "4", "-cpu",
          "pentium3", *rest)
    fails("clock is '-icount shift=3' in the snapshot and 'the host's' here", "-m", "4", "-nic", "none",
          "-snapshots", path, "-loadvm", "three")
    fails("is missing in this machine", "-m", "4", "-vga", "none", *rest)
    fails("is not in the snapshot", "-m", "4", "-serial", "null", "-serial", "null", *rest)
    fails("No such file or directory", *SMALL, "-snapshots", "/nosuch/folder/s", "-loadvm", "a")
    fails("this is no file of snapshots", *SMALL, "-snapshots", PROGRAM, "-loadvm", "a")
    with open(path, "rb+") as file:
        file.truncate(os.path.getsize(path) - 100)
    fails("the file is cut", *options, "-loadvm", "three")


def stands_beside_the_image(folder):
    image = os.path.join(folder, "floppy.img")
    with open(image, "wb") as file:
        file.truncate(1474560)
    with start(*SMALL, "-snapshot", "-fda", image) as machine:
        check(machine.execute("savevm a").strip() == "", "savevm beside the image")
    check(os.path.exists(image + ".snapshots"), "the file beside the image")
    with start(*SMALL, "-snapshot", "-fda", image, "-S", "-loadvm", "a") as machine:
        answer = machine.execute("info snapshots a")
        check(f"floppy0: {image} (raw, writes are temporary)" in answer, answer)
    with start(*SMALL, "-snapshots", "/nosuch/folder/s") as machine:
        answer = machine.execute("savevm a")
        check(answer == "Error: /nosuch/folder/s: cannot open: No such file or directory\n", answer)


def main():
    with tempfile.TemporaryDirectory(prefix="snapshot-commands-") as folder:
        options, expected = goes_back_and_forth(folder)
        starts_from_one(options, expected)
        refuses_others(options)
        stands_beside_the_image(folder)
    print("ok   snapshots by the monitor and the command line")


main()
