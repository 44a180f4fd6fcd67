#!/usr/bin/env python3
"""A ROM in place of the BIOS as it is seen from outside: the log of POST codes, files of the ports, the monitor."""
import os
import subprocess
import time

from guest_test import case, check, run_cases

CODES = ["00", "10", "20", "30", "40", "50", "60", "FF"]
PATIENCE_SECONDS = 120


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, newline="", encoding="ascii") as file:
        return file.read()


def wait_for(path, text):
    end = time.monotonic() + PATIENCE_SECONDS
    while text not in read(path):
        check(time.monotonic() < end, f"no {text!r} in {read(path)!r}")
        time.sleep(0.02)


def codes_of(log, port):
    return [line.split(": ")[1] for line in log.splitlines() if line.startswith(port + ": ")]


@case
def log_and_ports_go_to_files(context):
    """They are whole as soon as the code is out, though the process is killed."""
    log, printed, sent = (os.path.join(context.folder, name) for name in ("log", "printed", "sent"))
    process = subprocess.Popen(
        [context.emulator, "-accel", context.accelerator, "-bios", context.own_image("rom/post_rom_192.bin"),
         "-display", "none", "-d", "post", "-D", log, "-parallel", f"file:{printed}", "-serial", f"file:{sent}"],
        stdin=subprocess.DEVNULL)
    try:
        wait_for(log, "190: FF\n")
    finally:
        process.kill()
        process.wait()
    check(codes_of(read(log), "190") == CODES, read(log))
    check(codes_of(read(log), "80")[:2] == ["5A", "C8"], read(log))
    check(codes_of(read(log), "80")[-1] == "03", read(log))
    check(read(printed) == "polled\r\nstrobed\r\n", read(printed))
    check(read(sent) == "sent\r\n", read(sent))


@case
def log_goes_to_stderr(context):
    process = subprocess.Popen(
        [context.emulator, "-accel", context.accelerator, "-bios", context.own_image("rom/post_rom_64.bin"),
         "-display", "none", "-d", "post"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if line == "190: FF\n":
                break
        else:
            check(False, "the program ended")
    finally:
        process.kill()
        process.wait()


@case
def monitor_shows_codes(context):
    machine = context.start("-bios", context.own_image("rom/post_rom_256.bin"))
    machine.wait_serial("sent", PATIENCE_SECONDS)
    shown = machine.execute("info post")
    check("last code at port 190: " in shown and "last code at port 80: 03" in shown, shown)


if __name__ == "__main__":
    run_cases()
