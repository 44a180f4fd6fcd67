#!/usr/bin/env python3
"""Recordings of guests that are typed at and moved about in, replayed to the same state hash, on the host's clock and
under icount, with both backends; cut, killed, damaged and moved ones; and what cannot be replayed says so.

    recordings.py PROGRAM RUNS      RUNS of each kind of guest
"""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM, RUNS = os.path.abspath(sys.argv[1]), int(sys.argv[2])
GUESTS = os.environ.get("REPRISE_GUESTS", "")
PACKAGES = os.environ.get("REPRISE_PACKAGES", "")
FIRMWARE = ["/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"]
SECONDS = 3.0


def linux():
    """The kernel of a Debian package, where tests of guests have fetched it."""
    for folder, _, names in os.walk(PACKAGES):
        for name in names:
            if name.startswith("vmlinuz") and "686" in name:
                return os.path.join(folder, name)
    return None


def guests():
    kinds = []
    for name, options in (("freedos-1440.img", ["-fda"]), ("kolibri.img", ["-fda"]), ("mikeos.img", ["-icount", "shift=3", "-fda"]),
                          ("xv6.img", ["-smp", "2", "-hdb", os.path.join(GUESTS, "xv6-fs.img"), "-hda"]),
                          ("freedos-720.img", ["-cpu", "486,mips=20", "-fda"])):
        path = os.path.join(GUESTS, name.replace("freedos-720", "freedos720k"))
        if os.path.exists(path):
            kinds.append((name, options + [path]))
    if linux():
        kinds.append(("linux", ["-kernel", linux(), "-append", "console=ttyS0", "-m", "256"]))
    return kinds


def record(path, options, seconds, seed, end="quit"):
    """A run with keys and mouse at random moments."""
    chance = random.Random(seed)
    process = subprocess.Popen([PROGRAM, "-display", "none", "-monitor", "stdio", "-record", path, *options],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until = time.time() + seconds
    try:
        while time.time() < until:
            time.sleep(chance.uniform(0.01, 0.3))
            process.stdin.write(chance.choice([
                f"sendkey {chance.choice('abcdefgh')}", "sendkey ret", "sendkey shift-x",
                f"mouse_move {chance.randint(-20, 20)} {chance.randint(-20, 20)}", "mouse_button 1", "mouse_button 0", "stop",
                "cont", "cont", "info registers", "nmi" if chance.random() < 0.02 else "info status",
                "system_reset" if chance.random() < 0.1 else "screentext"]) + "\n")
            process.stdin.flush()
        if end == "kill":
            process.send_signal(signal.SIGKILL)
        else:
            process.stdin.write(end + "\n")
            process.stdin.flush()
        output = process.communicate(timeout=120)[0]
    finally:
        process.kill()
    assert end == "kill" or process.returncode == 0, output


def replay(path, *options):
    run = subprocess.run([PROGRAM, "replay", path, *options], capture_output=True, text=True, timeout=300, check=False)
    return run.returncode, run.stdout + run.stderr


def replays_to_the_same_state(folder):
    for number in range(RUNS):
        for name, options in guests():
            path = os.path.join(folder, "run.rec")
            record(path, options, SECONDS, f"{name} {number}")
            backend = ["-accel", "interp"] if number % 2 else []
            status, text = replay(path, *backend)
            assert status == 0 and "the state at the end is the recorded one" in text, (name, number, text)
            print(f"      {name} {number}: {text.splitlines()[0]}, {os.path.getsize(path)} bytes")


def replays_what_a_killed_process_left(folder):
    path = os.path.join(folder, "killed.rec")
    record(path, guests()[0][1], 2, "killed", "kill")
    status, text = replay(path)
    assert status == 0 and "cut off" in text, text
    assert int(text.split()[0]) > 1000000, text


def opens_cut_and_damaged_ones(folder):
    path = os.path.join(folder, "whole.rec")
    record(path, guests()[0][1], 2, "damaged")
    whole = open(path, "rb").read()
    chance = random.Random(1)
    for number in range(40):
        data = bytearray(whole[:chance.randrange(len(whole))] if number % 2 else whole)
        for _ in range(number % 2 == 0 and 1 + number % 5):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        broken = os.path.join(folder, "broken.rec")
        with open(broken, "wb") as file:
            file.write(data)
        status, text = replay(broken)
        assert status in (0, 1, 6) and text, (number, status, text)


def replays_part_of_it_and_shows_the_screen(folder):
    path, picture = os.path.join(folder, "part.rec"), os.path.join(folder, "part.png")
    record(path, guests()[0][1], 2, "part")
    first = [replay(path, "--until", "3000000", "--screen", picture) for _ in range(2)]
    assert first[0] == first[1] and first[0][0] == 0 and first[0][1].startswith("3000000 instructions"), first
    assert os.path.getsize(picture) > 100


def tells_of_changed_images(folder):
    image, path = os.path.join(folder, "disk.img"), os.path.join(folder, "disk.rec")
    shutil.copy(guests()[0][1][-1], image)
    before = open(image, "rb").read()
    record(path, ["-fda", image], 1, "image")
    assert open(image, "rb").read() == before, "recording wrote into the image"
    other = os.path.join(folder, "moved")
    os.mkdir(other)
    shutil.move(image, other)
    shutil.move(path, other)
    path = os.path.join(other, "disk.rec")
    assert replay(path)[0] == 0, "beside the recording an image is found"
    with open(os.path.join(other, "disk.img"), "r+b") as file:
        file.write(b"x")
    status, text = replay(path)
    assert status == 1 and "is not what it was" in text, text
    os.remove(os.path.join(other, "disk.img"))
    status, text = replay(path)
    assert status == 1 and "cannot read" in text, text


def ends_where_something_else_changed_the_machine(folder):
    path = os.path.join(folder, "changed.rec")
    record(path, ["-debugcon", "null", *guests()[0][1]], 1, "changed", "o /b 0x80 1\nquit")
    status, text = replay(path)
    assert status == 0 and "changed by 'o'" in text, text


def refuses_what_is_no_recording(folder):
    path = os.path.join(folder, "text")
    with open(path, "w", encoding="ascii") as file:
        file.write("no recording")
    assert replay(path)[0] == 1
    run = subprocess.run([PROGRAM, "-display", "none", "-record", path], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "is there and is no recording" in run.stderr, run.stderr
    assert open(path, encoding="ascii").read() == "no recording"


CHECKS = [replays_to_the_same_state, replays_what_a_killed_process_left, opens_cut_and_damaged_ones,
          replays_part_of_it_and_shows_the_screen, tells_of_changed_images,
          ends_where_something_else_changed_the_machine, refuses_what_is_no_recording]


def main():
    if not any(map(os.path.exists, FIRMWARE)) or not guests():
        print("skipped: no firmware, or no guests")
        return 77
    failed = 0
    for check in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(folder)
                print("ok    " + check.__name__)
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAIL  {check.__name__}: {type(error).__name__}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
