#!/usr/bin/env python3
"""The SDL window on a virtual X server: real key events reach the guest, the title tells, closing is quick."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from emulator import Emulator, need_firmware, run_checks, skip, wait_for
from x_server import XServer

PROGRAM = os.path.abspath(sys.argv[1])


# Shows what the BIOS reads from the keyboard: sti; next: mov ah,0; int 16h; mov ah,0Eh; int 10h; jmp next
TYPEWRITER = bytes.fromhex("fbb400cd16b40ecd10ebf6")


def start(server, options=()):
    folder = tempfile.mkdtemp()
    image = os.path.join(folder, "type.img")
    with open(image, "wb") as file:
        file.write((TYPEWRITER + b"\0" * 510)[:510] + b"\x55\xaa")
    machine = Emulator(PROGRAM, ["-m", "4", "-fda", image, "-boot", "a", "-name", "typewriter"] + list(options),
                       server.environment)
    shutil.rmtree(folder)
    wait_for(server.window, "the window")
    return machine


def screen(machine):
    return machine.monitor.run("screentext")


def keys_reach_the_guest(server):
    with start(server) as machine:
        wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
        time.sleep(0.3)
        server.focus()
        for name in ("h", "e", "l", "l", "o", "space", "shift+1", "Tab", "KP_Add"):
            server.key(name)
        wait_for(lambda: "hello !" in screen(machine), "what was typed")
        assert machine.quit() == 0


def face_place(machine):
    """Where the demo disk shows its face: (row, column) of the text screen, or None."""
    for row, line in enumerate(screen(machine).split("\n")):
        if "\u263b" in line:
            return row, line.index("\u263b")
    return None


def mouse_reaches_the_guest_once_grabbed(server):
    demo = os.path.join(os.path.dirname(PROGRAM), "roms", "demo.img")
    with Emulator(PROGRAM, ["-fda", demo, "-boot", "a", "-snapshot"], server.environment) as machine:
        wait_for(server.window, "the window")
        wait_for(lambda: face_place(machine) is not None, "the demo's face")
        server.focus()
        time.sleep(1)
        before = face_place(machine)
        server.run("xdotool", "mousemove_relative", "30", "20")
        time.sleep(0.5)
        assert face_place(machine) == before, "the mouse got through without a grab"
        server.run("xdotool", "mousemove", "--window", server.window()[0], "100", "100", "click", "1")
        wait_for(lambda: "Ctrl-Alt-G releases" in server.title(), "the grab")

        def moves():
            server.run("xdotool", "mousemove_relative", "40", "0")
            return face_place(machine) not in (None, before)

        wait_for(moves, "the face to follow the mouse")


def title_tells_name_speed_and_keys(server):
    with start(server) as machine:
        wait_for(lambda: "typewriter - Reprise - " in server.title() and "MIPS" in server.title(), "the title")
        assert "full screen" in server.title()
        server.focus()
        server.key("ctrl+alt+g")
        wait_for(lambda: "Ctrl-Alt-G releases the mouse" in server.title(), "the hint how to release the mouse")
        server.key("ctrl+alt+g")
        wait_for(lambda: "click to use the mouse" in server.title(), "the mouse to be released")
        machine.monitor.run("stop")
        wait_for(lambda: "paused" in server.title(), "'paused' in the title")


def keys_change_the_speed(server):
    with start(server) as machine:
        server.focus()
        machine.monitor.run("speed 25")
        wait_for(lambda: "held at 25 MIPS" in server.title(), "the held speed in the title")
        server.key("ctrl+alt+minus")
        wait_for(lambda: "held at 20 MIPS" in server.title(), "the slower speed")
        server.key("ctrl+alt+t")
        wait_for(lambda: "held" not in server.title(), "full speed")
        server.key("ctrl+alt+t")
        wait_for(lambda: "held at 20 MIPS" in server.title(), "the speed before turbo")


def window_shows_the_screen_in_its_shape(server):
    with start(server) as machine:
        wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
        shown, dumped = machine.path("shown.png"), machine.path("dumped.png")

        def is_alike():
            machine.monitor.run("screendump " + dumped)
            server.picture(shown)
            size = server.run("identify", "-format", "%w %h", shown).split()
            if len(size) != 2 or abs(int(size[0]) * 3 - int(size[1]) * 4) > 8:
                return False
            # Root mean square difference of the two, both scaled to one size, 0 to 1.
            out = subprocess.run(["compare", "-metric", "RMSE", "(", shown, "-resize", "360x200!", ")",
                                  "(", dumped, "-resize", "360x200!", ")", "null:"], capture_output=True, text=True, check=False)
            return "(" in out.stderr and float(out.stderr.split("(")[1].rstrip(")\n")) < 0.1

        wait_for(is_alike, "the window to show what screendump does")


def screenshot_key_saves_a_picture(server):
    with tempfile.TemporaryDirectory() as folder:
        here = os.getcwd()
        os.chdir(folder)
        try:
            with start(server) as machine:
                wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
                server.focus()
                server.key("ctrl+alt+s")
                wait_for(lambda: any(name.startswith("reprise-") for name in os.listdir(folder)), "the picture")
                wait_for(lambda: "saved reprise-" in server.title(), "its name in the title")
        finally:
            os.chdir(here)


def closing_is_quick(server):
    with start(server) as machine:
        before = time.time()
        server.run("xdotool", "windowclose", server.window()[0])
        machine.process.wait(10)
        assert time.time() - before < 3, "closing took too long"


def main():
    need_firmware()
    for tool in ("Xvfb", "xdotool", "import", "compare"):
        if not shutil.which(tool):
            skip(f"no {tool}")
    server = XServer()
    try:
        return run_checks([keys_reach_the_guest, mouse_reaches_the_guest_once_grabbed, title_tells_name_speed_and_keys, keys_change_the_speed, window_shows_the_screen_in_its_shape,
                           screenshot_key_saves_a_picture, closing_is_quick], server)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
