#!/usr/bin/env python3
"""Many recordings of guests that are typed at, moved about in, write to a disk and move data through the network, on
the host's clock: each replays to the state that it ended in. What differs is kept.

    many_recordings.py PROGRAM RUNS [--seed N] [--keep FOLDER] [--only dos,kolibri,linux]
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "guests"))
import fetch_packages  # noqa: E402
import network_guest  # noqa: E402

GUESTS = os.environ.get("REPRISE_GUESTS", "")
SAME = "the state at the end is the recorded one"

# Linux: its own network and disk until the end, and a shell's work on the console beside.
WORK = network_guest.START + """
while true; do
  nc 10.0.2.2 {down} | md5sum
  dd if=/dev/urandom of=/dev/sda bs=64k count=16 conv=fsync 2>/dev/null
  dd if=/dev/sda bs=4k count=256 2>/dev/null | nc 10.0.2.2 {up}
  ls -l /proc >/dev/tty0
done
"""


def kinds(folder, only):
    found = {}
    for name, options in (("dos", ["-fda", "freedos-1440.img", "-device", "sb16"]), ("kolibri", ["-fda", "kolibri.img"])):
        path = os.path.join(GUESTS, options[1])
        if os.path.exists(path):
            found[name] = ([options[0], path, *options[2:]], 3)
    try:
        host = network_guest.Host(network_guest.noise(1))
        disk = os.path.join(folder, "disk.img")
        with open(disk, "wb") as file:
            file.truncate(32 << 20)
        options = network_guest.options(folder, ["-hda", disk, "-netdev", "user,id=lan", "-device", "e1000,netdev=lan"],
                                        ["e1000", "ata_piix", "sd_mod", "psmouse"], WORK.format(down=host.down, up=host.up))
        found["linux"] = (options, 7)
    except (fetch_packages.PackageMissing, OSError) as error:
        print(f"no Linux: {error}")
    return {name: kind for name, kind in found.items() if not only or name in only.split(",")}


def record(program, path, options, seconds, seed):
    chance = random.Random(seed)
    process = subprocess.Popen([program, "-display", "none", "-monitor", "stdio", "-serial", "null", "-record", path, *options],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until = time.time() + seconds * chance.uniform(0.5, 1.5)
    try:
        while time.time() < until:
            time.sleep(chance.uniform(0.001, 0.2))
            process.stdin.write(chance.choice([
                f"sendkey {chance.choice('abcdefgh')}", "sendkey ret", "sendkey shift-x", "sendkey alt-f1",
                f"mouse_move {chance.randint(-90, 90)} {chance.randint(-90, 90)}", "mouse_button 1", "mouse_button 0",
                "stop\ncont", "info registers", "screentext", "info pci"]) + "\n")
            process.stdin.flush()
        output = process.communicate("quit\n", timeout=120)[0]
    finally:
        process.kill()
    assert process.returncode == 0, output


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("runs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", default="different-recordings")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    same = different = checked = 0
    with tempfile.TemporaryDirectory() as folder:
        guests = kinds(folder, arguments.only)
        if not guests:
            print("skipped: no guests")
            return 77
        for number in range(arguments.runs):
            name = list(guests)[number % len(guests)]
            path = os.path.join(folder, f"{name}-{arguments.seed}-{number}.rec")
            record(os.path.abspath(arguments.program), path, *guests[name], f"{arguments.seed} {number}")
            backend = ["-accel", "interp"] if number % 10 == 9 and name == "dos" else []
            run = subprocess.run([arguments.program, "replay", path, *backend], capture_output=True, text=True, timeout=900, check=False)
            if run.returncode == 0 and SAME in run.stdout:
                same += 1
                checked += int(run.stdout.split()[0])
                os.remove(path)
                continue
            different += 1
            os.makedirs(arguments.keep, exist_ok=True)
            shutil.move(path, arguments.keep)
            print(f"{name} {number}: {run.stdout}{run.stderr}", flush=True)
    print(f"{same} of {same + different} recordings replayed to the same state, {checked / 1e9:.1f} billion instructions")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
