#!/usr/bin/env python3
"""How many pictures a second the window shows of guests that draw without end, while other programs keep all but one of
the host's processors busy; and what a guest costs on whose screen nothing moves.

    tests/bench/frame_bench.py [--emu REPRISE] [--seconds N] [--only retrace,kolibri,still] [--no-load] [--check] [--pictures FOLDER]
    tests/bench/frame_bench.py --only desktop,drag,desktop-still [--disk FILE] [--vga cirrus --driver cirrus] ...

Guests: a program in mode 13h that changes the picture at each retrace, 70 times a second, a desktop (KolibriOS) with two
programs that draw as often as they can, and Debian's (the disk that tests/guests/xorg.lua makes, or
'boot_media.py desktop'): with a program that draws, with a window that is dragged about, and at rest. The window is on a
virtual X server (Xvfb). What counts is 'info display' of the monitor: pictures that were made for the window and drawn there.
The last column, milliseconds of processor time of the window's thread for each of them, is the same on a host that has no time
for more. --check: 60 a second at least, and less than 3 % of a processor.
"""
import argparse
import contextlib
import glob
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "..", "frontend"), os.path.join(HERE, "..", "guests")]
from desktop import Shell, options_for  # noqa: E402
from emulator import Emulator, wait_for  # noqa: E402
from x_server import XServer  # noqa: E402

GUESTS = os.environ.get("REPRISE_GUESTS", os.path.join(REPOSITORY, "..", "shared", "guests"))
EXIT_SKIPPED = 77
WANTED_PICTURES, STILL_PERCENT = 60, 3
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

# Mode 13h; each time: wait until retrace ends and begins (3DAh bit 3), then fill the line at DI with another colour.
# mov ax,13h; int 10h; mov ax,0A000h; mov es,ax; mov dx,3DAh; xor di,di; next: in al,dx; test al,8; jnz next;
# wait: in al,dx; test al,8; jz wait; inc bl; mov al,bl; mov cx,320; rep stosb; cmp di,64000; jb next; xor di,di; jmp next
RETRACE = bytes.fromhex("b81300cd10b800a08ec0bada0331ffeca80875fbeca80874fbfec388d8b94001f3aa81ff00fa72e731ffebe3")
# mov ax,13h; int 10h; sti; forever: hlt; jmp forever
STILL = bytes.fromhex("b81300cd10fbf4ebfd")


def boot_sector(folder, name, code):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write((code + bytes(510))[:510] + b"\x55\xaa" + bytes(1474560 - 512))
    return ["-m", "4", "-fda", path, "-boot", "a"]


def kolibri(folder):
    """The desktop starts two programs that move."""
    source, image = os.path.join(GUESTS, "kolibri.img"), os.path.join(folder, "kolibri.img")
    if not os.path.exists(source) or not shutil.which("mcopy"):
        return None
    shutil.copy(source, image)
    os.chmod(image, 0o600)
    listed = subprocess.run(["mtype", "-i", image, "::/AUTORUN.DAT"], capture_output=True, check=True).stdout
    mark = listed.index(b"/SYS/@PANEL")
    # Others (TUBE, 3DSHEART) wait between their pictures and come to some thirty a second.
    programs = b'/SYS/DEMOS/PLASMA      ""           1    #\r\n/SYS/3D/GEARS         ""           1    #\r\n'
    path = os.path.join(folder, "autorun.dat")
    with open(path, "wb") as file:
        file.write(listed[:mark] + programs + listed[mark:])
    subprocess.run(["mcopy", "-o", "-i", image, path, "::/AUTORUN.DAT"], check=True)
    return ["-m", "64", "-snapshot", "-fda", image, "-boot", "a"]


def processor_seconds(process, thread=None):
    """Of all threads, or of one."""
    path = f"/proc/{process.pid}/task/{thread}/stat" if thread else f"/proc/{process.pid}/stat"
    with open(path, encoding="ascii") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def read_display(machine):
    """Mode, and pictures so far."""
    words = machine.monitor.run("info display").split()
    return " ".join(words[:3]).rstrip(","), int(words[words.index("pictures") - 1])


def wait_for_graphics(machine):
    wait_for(lambda: machine.monitor.run("info display").startswith(("320x200", "640x400", "800x600")), "a graphics mode", 60)


def find_disk(args):
    """Debian's desktop, with a tablet, so that the window's pointer is the guest's; None where nobody has made it."""
    disks = [args.disk] if args.disk else sorted(glob.glob(os.path.join(REPOSITORY, "build/*/guests/desktop.img-*")),
                                                 key=os.path.getmtime)
    return disks[-1] if disks else None


def start_desktop(args, path, command):
    """Returns what brings a machine there whose serial port is at PATH."""
    def prepare(_):
        shell = Shell(path, 4)
        shell.log_in()
        shell.start_desktop(args.driver)
        if command:
            shell.send(command + " &\n")
        shell.close()
    return prepare


# Drags the terminal by its title in circles for so long; the places fit 1024x768.
def drag_about(server, seconds):
    window, step_ms = server.window()[0], 8
    words = ["xdotool", "mousemove", "--window", window, "300", "75", "sleep", "0.3", "mousedown", "1"]
    steps = int(seconds * 1000 / step_ms)
    for step in range(steps):
        angle = step * 2 * math.pi / 200
        words += ["mousemove", "--window", window, str(int(340 - 40 * math.cos(angle))), str(int(175 - 100 * math.cos(angle / 2))),
                  "sleep", str(step_ms / 1000)]
    return subprocess.Popen(words + ["mouseup", "1"], env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(server, program, guest, seconds, shot):
    """GUEST: options, what brings it to where it is measured, seconds that it has then, what is done to it meanwhile."""
    options, prepare, warm_up, drive = guest
    with Emulator(program, options + ["-no-user-config"], server.environment) as machine, contextlib.ExitStack() as stack:
        wait_for(server.window, "the window")
        prepare(machine)
        time.sleep(warm_up)
        if drive:
            driver = stack.enter_context(drive(server, seconds + 2))
            stack.callback(driver.kill)
            time.sleep(1)
        mode, before = read_display(machine)
        used, began = processor_seconds(machine.process), time.monotonic()
        window = processor_seconds(machine.process, machine.process.pid)
        time.sleep(seconds)
        after, took = read_display(machine)[1], time.monotonic() - began
        used = processor_seconds(machine.process) - used
        window = processor_seconds(machine.process, machine.process.pid) - window
        if shot:
            server.picture(shot)
        machine.quit()
    return mode, (after - before) / took, 100 * used / took, 1000 * window / max(after - before, 1)


class Load:
    """Endless loops on all processors but one."""

    def __init__(self, wanted):
        count = (os.cpu_count() or 1) - 1 if wanted else 0
        self.processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", default="retrace,kolibri,still")
    parser.add_argument("--disk", help="with Debian's desktop; else the newest that a build has")
    parser.add_argument("--vga", default="std")
    parser.add_argument("--driver", default="modesetting", help="of Debian's X server")
    parser.add_argument("--no-load", action="store_true")
    parser.add_argument("--pictures", default="", help="where pictures of the windows go")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    for tool in ("Xvfb", "xdotool", "import"):
        if not shutil.which(tool):
            print(f"skipped: no {tool}")
            return EXIT_SKIPPED
    bad = False
    server = XServer()
    print("pictures a second, percent of a processor, milliseconds of the window's thread for a picture")
    try:
        with tempfile.TemporaryDirectory() as folder, Load(not args.no_load):
            guests = {"retrace": (lambda: boot_sector(folder, "retrace.img", RETRACE), wait_for_graphics, 1, None),
                      "kolibri": (lambda: kolibri(folder), wait_for_graphics, 20, None),
                      "still": (lambda: boot_sector(folder, "still.img", STILL), wait_for_graphics, 3, None)}
            serial = os.path.join(folder, "serial")
            disk = find_disk(args)
            for name, command, drive in (("desktop", "DISPLAY=:0 ico -faces -sleep 0 -size 500x500", None), ("drag", "", drag_about),
                                         ("desktop-still", "", None)):
                guests[name] = (lambda: options_for(disk, args.vga, serial) + ["-usb", "-device", "usb-tablet"] if disk else None,
                                start_desktop(args, serial, command), 5, drive)
            for name in args.only.split(","):
                make, prepare, warm_up, drive = guests[name]
                options = make()
                if options is None:
                    print(f"{name:13} left out: no image, or no mtools")
                    continue
                shot = os.path.join(args.pictures, name + ".png") if args.pictures else ""
                mode, pictures, percent, window_ms = measure(server, os.path.abspath(args.emu), (options, prepare, warm_up, drive),
                                                              args.seconds, shot)
                drawn = f"{window_ms:7.2f}" if pictures >= 1 else ""
                print(f"{name:13} {mode:24} {pictures:7.1f} {percent:7.1f} {drawn}", flush=True)
                bad |= percent >= STILL_PERCENT or pictures > 1 if name.endswith("still") else pictures < WANTED_PICTURES
    finally:
        server.close()
    return 1 if args.check and bad else 0


if __name__ == "__main__":
    sys.exit(main())
