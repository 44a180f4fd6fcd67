#!/usr/bin/env python3
"""Debian's desktop (a disk of 'boot_media.py desktop'), driven from outside by the shell on its serial port.

    tests/guests/desktop.py DISK [--emu qemu-system-i386] [--vga cirrus] [--option WORD ...] [--run COMMAND ...]
                            [--pictures FOLDER] DRIVER[-DEPTH] ...

Starts the desktop by one driver after the other (modesetting comes last: the kernel's driver stays), prints what the
commands print there, and keeps pictures of the screen, FOLDER/DRIVER-DEPTH.png, so that what another emulator makes of the
same disk can be laid beside ours.
"""
import argparse
import os
import re
import shutil
import socket
import sys
import tempfile
import time

import vm

DRIVERS = ("cirrus", "vesa", "fbdev", "modesetting")
PROMPT = "# "

# Displays differ in what they prefer.
_CONFIGURATION = """Section "Device"
  Identifier "card"
  Driver "{}"
EndSection
Section "Monitor"
  Identifier "monitor"
  Option "PreferredMode" "1024x768"
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "monitor"
  SubSection "Display"
    Depth 8
    Modes "1024x768"
  EndSubSection
  SubSection "Display"
    Depth 16
    Modes "1024x768"
  EndSubSection
  SubSection "Display"
    Depth 24
    Modes "1024x768"
  EndSubSection
EndSection
Section "ServerFlags"
  Option "BlankTime" "0"
  Option "StandbyTime" "0"
  Option "SuspendTime" "0"
  Option "OffTime" "0"
EndSection
"""
# What the desktop shows: nothing that looks another way each time but the clock and what follows the pointer.
_SESSION = """#!/bin/sh
xsetroot -solid '#305070' -cursor_name left_ptr
icewm 2>/root/icewm.log &
until xprop -root _NET_SUPPORTING_WM_CHECK | grep -q 0x; do sleep 0.2; done
seen() { # each has its place in the task bar before the next comes
  until xwininfo -name $1 2>/dev/null | grep -q IsViewable; do sleep 0.2; done
  sleep 1
}
xclock -geometry 150x150+800+40 &
seen xclock
xeyes -geometry 200x120+780+260 &
seen xeyes
xterm -geometry 60x20+60+60 -T words -e sh -c 'cat /root/words; exec cat >/root/typed' &
seen words
sleep 2
touch /root/session-is-up
wait
"""
_START = """#!/bin/sh
# start-x DRIVER [OPTIONS of the server]
driver=$1
shift
rm -f /root/session-is-up
[ $driver = modesetting ] && modprobe -a cirrus bochs
[ $driver = fbdev ] && modprobe -a cirrus bochs
xinit /root/session -- /usr/bin/X :0 vt7 -config /root/$driver.conf -noreset -dpi 96 "$@" >/root/xinit.log 2>&1 &
server=$!
until [ -e /root/session-is-up ]; do
  kill -0 $server 2>/dev/null || { cat /root/xinit.log; exit 1; }
  sleep 0.5
done
"""
_STOP = """#!/bin/sh
kill $(cat /tmp/.X0-lock)
while [ -e /tmp/.X0-lock ]; do sleep 0.2; done
sleep 1
"""
_ICEWM = """TaskBarShowClock=0
TaskBarShowCPUStatus=0
TaskBarShowMEMStatus=0
TaskBarShowNetStatus=0
TaskBarShowMailboxStatus=0
ShowPopupsAbovePointer=0
"""
# Paths below / and what is in them; scripts have their '#!' and become executable.
FILES = {
    "root/session": _SESSION,
    "root/start-x": _START,
    "root/stop-x": _STOP,
    "root/.icewm/preferences": _ICEWM,
    "root/words": "".join(f"{number:2} The quick brown fox jumps over the lazy dog.\n" for number in range(1, 16)),
    **{f"root/{driver}.conf": _CONFIGURATION.format(driver) for driver in DRIVERS},
}


class Shell:
    """The shell of root on a serial port that is a unix socket."""

    def __init__(self, path, patience=1.0):
        self.patience = patience
        self.text = ""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def wait_for(self, pattern, seconds):
        """Waits for a regular expression; returns what came before it."""
        end = time.monotonic() + seconds * self.patience
        while True:
            match = re.search(pattern, self.text)
            if match:
                before, self.text = self.text[:match.start()], self.text[match.end():]
                return before
            left = end - time.monotonic()
            if left <= 0:
                raise vm.VmError(f"no '{pattern}' on the serial port: {self.text[-500:]}")
            self.socket.settimeout(left)
            try:
                part = self.socket.recv(65536)
            except TimeoutError:
                continue
            if not part:
                raise vm.VmError("the serial port closed")
            self.text += part.decode(errors="replace").replace("\r", "")

    def send(self, text):
        self.socket.sendall(text.encode())

    def log_in(self):
        self.wait_for("reprise login: ", 400)
        self.send("root\n")
        self.wait_for("root@reprise:~# ", 100)
        self.send("dmesg -n 1; exec env PS1='# ' sh\n")  # bash would edit lines
        self.wait_for(r"(^|[^\w])# ", 60)

    def run(self, command, seconds=60):
        """Returns what the command prints; it must succeed."""
        self.send(f"echo out'put:'; {command}; echo sta'tus'=$?.\n")
        self.wait_for("output:\n", seconds)
        output = self.wait_for("status=", seconds)
        status = self.wait_for(r"\.\n", 10)
        self.wait_for(PROMPT, 10)
        if status != "0":
            raise vm.VmError(f"'{command}' ends with status {status}: {output}")
        return output

    def start_desktop(self, driver, depth=""):
        self.run(f"/root/start-x {driver}" + (f" -depth {depth}" if depth else ""), 300)

    def stop_desktop(self):
        self.run("/root/stop-x")

    def close(self):
        self.socket.close()


def options_for(disk, vga, serial):
    """The command line for either emulator; the disk's file stays as it is."""
    return ["-m", "256", "-net", "none", "-boot", "c", "-vga", vga, "-snapshot",
            "-drive", f"format=raw,if=ide,index=0,file={disk}", "-serial", f"unix:{serial},server,nowait"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("disk")
    parser.add_argument("--emu", default="qemu-system-i386")
    parser.add_argument("--vga", default="std")
    parser.add_argument("--option", action="append", default=[], metavar="WORD", help="a word of the emulator's command line")
    parser.add_argument("--run", action="append", default=[], metavar="COMMAND")
    parser.add_argument("--pictures", metavar="FOLDER")
    parser.add_argument("drivers", nargs="+", metavar="DRIVER", help="one of " + ", ".join(DRIVERS))
    args = parser.parse_args()
    emulator = shutil.which(args.emu)
    if not emulator:
        print(f"{args.emu} is missing", file=sys.stderr)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        serial = os.path.join(folder, "serial")
        with vm.Vm(emulator, options_for(args.disk, args.vga, serial) + args.option, serial=None) as machine:
            shell = Shell(serial)
            shell.log_in()
            for name in args.drivers:
                shell.start_desktop(*name.split("-"))
                for command in args.run:
                    print(shell.run(command, 600), end="", flush=True)
                if args.pictures:
                    os.makedirs(args.pictures, exist_ok=True)
                    machine.execute(f"screendump {os.path.abspath(args.pictures)}/{name}.png -f png")
                shell.stop_desktop()
            shell.close()


if __name__ == "__main__":
    main()
