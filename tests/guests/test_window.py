#!/usr/bin/env python3
"""A guest in a window on a virtual X server: real key events go in, what the window shows comes out."""
import os
import re
import shutil
import subprocess
import sys
import time

import fetch_packages
import picture
from guest_test import REPOSITORY, Skip, case, check, mtools, run_cases

sys.path.insert(0, os.path.join(REPOSITORY, "tests", "frontend"))
from x_server import STATUS_LINE_HEIGHT, XServer  # pylint: disable=wrong-import-position


def type_keys(server, names):
    for name in names:
        server.key(name)
        time.sleep(0.1)


def window_picture(context, server):
    """What the X server shows of the guest's screen in the window."""
    shot, plain = (os.path.join(context.folder, name) for name in ("window.png", "window.ppm"))
    server.picture(shot)
    subprocess.run(["convert", shot, "-gravity", "south", "-chop", f"0x{STATUS_LINE_HEIGHT}", "-depth", "8", plain], check=True)
    return picture.read_picture(plain)


def use_grub(context, server):
    disc = fetch_packages.package_file("grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-cdrom.iso")
    machine = context.start("-m", "64", "-net", "none", "-boot", "d", "-cdrom", disc,
                            window=server.environment)
    machine.wait_text(r"Press enter to boot the selected OS", 60)
    machine.wait_until(server.window, 10, "the window")
    server.focus()
    type_keys(server, ["Down", "Up", "c"])
    machine.wait_text(r"^grub> ?$", 20)
    type_keys(server, ["l", "s", "Return"])
    machine.wait_text(r"\(cd\)", 20)
    machine.wait_until(lambda: picture.correlation(window_picture(context, server),
                                                   machine.take_picture()) > 0.9,
                       10, "the guest's screen in the window")
    check(machine.quit() == 0, "quit does not end with status 0")


@case
def grub(context):
    for tool in ("Xvfb", "xdotool", "import", "convert"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    if context.is_qemu:
        raise Skip("the window's name is that of Reprise")
    server = XServer()
    try:
        use_grub(context, server)
    finally:
        server.close()


def lines_of_text(size):
    """Every character of a US keyboard, in lines as people write them."""
    shown = "".join(chr(code) for code in range(33, 127))
    lines, number = [], 0
    while sum(len(line) + 1 for line in lines) < size:
        first = number * 7 % len(shown)
        lines.append(f"{number:03d} " + (shown[first:] + shown[:first])[:number * 13 % 40 + 5] + " the quick brown fox")
        number += 1
    return "\n".join(lines) + "\n"


def saved_text(floppy):
    result = subprocess.run(["mtype", "-i", floppy, "::/TEXT.TXT"], capture_output=True, check=False)
    return result.stdout.decode("ascii", errors="replace").replace("\r\n", "\n").rstrip("\r\n\x1a")


def paste_into_editor(context, server):
    text = lines_of_text(10240)
    floppy = os.path.join(context.folder, "text.img")
    with open(floppy, "wb") as file:
        file.truncate(1440 * 1024)
    mtools("mformat", floppy, "-f", "1440", "::")
    machine = context.start("-m", "16", "-net", "none", "-boot", "a", "-fda", context.copy("freedos720k.img"), "-fdb", floppy,
                            window=server.environment)
    machine.wait_text(r"^A:\\.*> ?$", 90)
    machine.wait_until(server.window, 10, "the window")
    server.focus()
    keys = {"\\": "backslash", ":": "shift+semicolon", " ": "space", ".": "period"}
    type_keys(server, [keys.get(letter, letter) for letter in "\\fdos\\edit b:text.txt"] + ["Return"])
    machine.wait_text(r"File +Edit +Search", 60)
    time.sleep(1)
    server.paste(text)
    machine.wait_text(re.escape(text.rstrip().rsplit("\n", 1)[1][:40]), 600)
    time.sleep(2)
    type_keys(server, ["alt+f", "s"])
    machine.wait_until(lambda: saved_text(floppy).endswith(text.rstrip()[-20:]), 60, "the file")
    for typed, saved in zip(text.split("\n"), saved_text(floppy).split("\n")):
        check(typed == saved, f"{typed!r} became {saved!r}")
    check(saved_text(floppy) == text.rstrip("\n"), f"{len(text)} bytes became {len(saved_text(floppy))}")
    check(machine.quit() == 0, "quit does not end with status 0")


@case(long=True)
def ten_kilobytes_pasted_into_an_editor(context):
    for tool in ("Xvfb", "xdotool", "xclip"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    if context.is_qemu:
        raise Skip("QEMU's window pastes nothing")
    server = XServer()
    try:
        paste_into_editor(context, server)
    finally:
        server.close()


run_cases()
