#!/usr/bin/env python3
"""Runs reprise without a display for a while, and leaves a picture of the screen.

    run_headless.py PROGRAM [OPTIONS...]

The run ends when the guest powers off, or after REPRISE_SECONDS (default 20). A picture is taken every second, so that there
is one also when the guest switched itself off.
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

PROMPT = b"(reprise) "
PATIENCE = 120  # seconds until something is taken to hang, on a host that has more to do


class Monitor:
    """The human monitor on its unix socket."""

    def __init__(self, path, process):
        deadline = time.time() + PATIENCE
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if process.poll() is not None or time.time() > deadline:
                    raise
                time.sleep(0.02)
        self.socket.settimeout(PATIENCE)
        self.read_answer()

    def read_answer(self):
        data = b""
        while not data.endswith(PROMPT):
            part = self.socket.recv(65536)
            if not part:
                raise OSError("the monitor closed")
            data += part
        return data[: -len(PROMPT)].decode(errors="replace")

    def run(self, line):
        self.socket.sendall(line.encode() + b"\n")
        return self.read_answer()


def free_name():
    number = 1
    while os.path.exists(f"reprise-screen-{number}.png"):
        number += 1
    return os.path.abspath(f"reprise-screen-{number}.png")


def watch(process, monitor, picture, seconds):
    """Takes pictures until the time is over or the guest is gone; returns the last text screen."""
    end = time.time() + seconds
    text = ""
    while process.poll() is None and time.time() < end:
        time.sleep(min(1.0, max(0.0, end - time.time())))
        try:
            monitor.run("screendump " + picture + " -f png")
            text = monitor.run("screentext")
        except OSError:
            break
    return text


def main():
    seconds = float(os.environ.get("REPRISE_SECONDS", "20"))
    picture = free_name()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "monitor")
        command = sys.argv[1:] + ["-display", "none", "-monitor", f"unix:{path},server,nowait"]
        print(f"No display: running for {seconds:.0f} seconds without one.", flush=True)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            monitor = Monitor(path, process)
        except OSError:
            return process.wait()
        text = watch(process, monitor, picture, seconds)
        powered_off = process.poll() is not None
        if not powered_off:
            try:
                monitor.run("quit")
            except OSError:
                pass
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = 1
    lines = [line for line in re.split(r"\r?\n", text) if line.strip()]
    if lines and "graphics" not in lines[0]:
        print("\n".join(lines))
    if status == 0 and not os.path.exists(picture):
        print("The run was too short for a picture.")
    if os.path.exists(picture):
        print(("The guest powered off." if powered_off else "The time is over.") + f" Its last screen: {picture}")
    return status


if __name__ == "__main__":
    sys.exit(main())
