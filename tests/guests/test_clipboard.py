#!/usr/bin/env python3
"""The clipboard of a virtual X server and that of a guest whose tools use VMware's port
(bare_metal/vmware_clipboard.asm): texts go both ways."""
import os
import shutil
import subprocess
import sys
import time

from guest_test import REPOSITORY, Skip, case, check, run_cases

sys.path.insert(0, os.path.join(REPOSITORY, "tests", "frontend"))
from x_server import XServer  # pylint: disable=wrong-import-position


def read_clipboard(server):
    return server.run("xclip", "-selection", "clipboard", "-o")


def start(context, server, *options):
    machine = context.start("-m", "16", "-net", "none", "-boot", "a", "-fda", context.own_image("bare_metal/vmware_clipboard.img"),
                            *options, window=server.environment)
    machine.wait_serial(r"clipboard is ready", 20)
    machine.wait_until(server.window, 10, "the window")
    server.focus()
    return machine


def with_server(body):
    for tool in ("Xvfb", "xdotool", "xclip"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    server = XServer()
    try:
        body(server)
    finally:
        server.close()


def exchange(context, server):
    recording = os.path.join(context.folder, "clipboard.rec")
    server.set_clipboard("from before")
    machine = start(context, server, "-record", recording)
    machine.wait_serial(r"from before\ncopied", 20)
    machine.wait_until(lambda: read_clipboard(server) == "FROM BEFORE", 10, "the guest's text")
    server.set_clipboard("the next\none")
    server.focus()
    machine.wait_serial(r"the next\none\ncopied", 20)
    machine.wait_until(lambda: read_clipboard(server) == "THE NEXT\nONE", 10, "the guest's next text")
    check(machine.quit() == 0, "quit does not end with status 0")
    replay = subprocess.run([context.emulator, "replay", recording], capture_output=True, text=True, timeout=120, check=False)
    check(replay.returncode == 0 and "the state at the end is the recorded one" in replay.stdout, f"the replay says {replay}")


@case
def texts_go_both_ways(context):
    if context.is_qemu:
        raise Skip("QEMU's port has no clipboard")
    with_server(lambda server: exchange(context, server))


def stay_apart(context, server):
    server.set_clipboard("a secret")
    machine = start(context, server, "-machine", "clipboard=off")
    server.set_clipboard("another")
    server.focus()
    time.sleep(1)
    check("secret" not in machine.read_serial(), "the guest has the host's text")
    check(machine.quit() == 0, "quit does not end with status 0")


@case
def switched_off(context):
    if context.is_qemu:
        raise Skip("QEMU's port has no clipboard")
    with_server(lambda server: stay_apart(context, server))


run_cases()
