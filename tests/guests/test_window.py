#!/usr/bin/env python3
"""A guest in a window on a virtual X server: real key events go in, what the window shows comes out."""
import os
import shutil
import subprocess
import sys
import time

import fetch_packages
import picture
from guest_test import REPOSITORY, Skip, case, check, run_cases

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


run_cases()
