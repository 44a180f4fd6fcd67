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
from vm import VmError  # pylint: disable=wrong-import-position
from x_server import XServer  # pylint: disable=wrong-import-position


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


def offer(server, machine, text):
    """Until the guest has it: SDL waits a second for who has the clipboard, and clears it then."""
    for _ in range(20):
        if server.clipboard() != text:
            server.set_clipboard(text)
        server.focus()
        try:
            machine.wait_serial(text + r"\ncopied", 2)
            return
        except VmError:
            pass
    check(False, f"the guest never had '{text}': {machine.read_serial()}")


def exchange(context, server):
    recording = os.path.join(context.folder, "clipboard.rec")
    server.set_clipboard("from before")
    machine = start(context, server, "-record", recording)
    offer(server, machine, "from before")
    machine.wait_until(lambda: server.clipboard() == "FROM BEFORE", 10, "the guest's text")
    offer(server, machine, "the next\none")
    machine.wait_until(lambda: server.clipboard() == "THE NEXT\nONE", 10, "the guest's next text")
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
