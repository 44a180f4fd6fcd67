#!/usr/bin/env python3
"""Runs in the SDL window on a virtual X server, with real key and mouse events and sound through SDL, recorded: they
replay headless to the same state."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "frontend"))
from emulator import Emulator, need_firmware, run_checks, skip, wait_for  # noqa: E402
from x_server import XServer  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
GUESTS = os.environ.get("REPRISE_GUESTS", "")
SOUND = ["-audiodev", "sdl,id=a"]

# Plays samples by the Sound Blaster's direct mode, and shows what is typed.
PLAYER = """
    org 7C00h
    mov dx, 226h
    mov al, 1
    out dx, al
    mov cx, 2000
    loop $
    xor al, al
    out dx, al
    sti
next:
    mov dx, 22Ch
busy:
    in al, dx
    test al, 80h
    jnz busy
    mov al, 10h
    out dx, al
busy_again:
    in al, dx
    test al, 80h
    jnz busy_again
    mov al, bl
    out dx, al
    add bl, 7
    mov ah, 1
    int 16h
    jz next
    mov ah, 0
    int 16h
    mov ah, 0Eh
    int 10h
    jmp next
    times 510 - ($ - $$) db 0
    dw 0AA55h
"""


def replays(recording, most):
    run = subprocess.run([PROGRAM, "replay", recording], capture_output=True, text=True, timeout=most, check=False)
    assert run.returncode == 0 and "the state at the end is the recorded one" in run.stdout, run
    print("      " + run.stdout.splitlines()[0])


def typed_at_with_a_sound_blaster(server, folder):
    recording, image = os.path.join(folder, "typed.rec"), os.path.join(folder, "player.img")
    with open(os.path.join(folder, "player.asm"), "w", encoding="ascii") as file:
        file.write(PLAYER)
    subprocess.run(["nasm", "-f", "bin", "-o", image, os.path.join(folder, "player.asm")], check=True)
    with Emulator(PROGRAM, ["-m", "8", "-fda", image, "-boot", "a", "-nic", "none", *SOUND, "-device", "sb16,audiodev=a",
                            "-record", recording], dict(server.environment, SDL_AUDIODRIVER="dummy")) as machine:
        wait_for(server.window, "the window")
        wait_for(lambda: "Booting from Floppy" in machine.monitor.run("screentext"), "the guest")
        server.focus()
        for name in ("h", "e", "l", "l", "o", "space", "shift+1"):
            server.key(name)
        wait_for(lambda: "hello !" in machine.monitor.run("screentext"), "what was typed")
        if shutil.which("xclip"):
            text = "".join(f"{number:03d}_pasted;" for number in range(40))
            server.paste(text)
            wait_for(lambda: "".join(machine.monitor.run("screentext").split()).endswith(text),
                     lambda: "what was pasted: " + machine.monitor.run("screentext"))
        assert machine.quit() == 0
    replays(recording, 600)


def moved_about_in_kolibri(server, folder):
    image, recording = os.path.join(GUESTS, "kolibri.img"), os.path.join(folder, "kolibri.rec")
    if not os.path.exists(image):
        print("(no KolibriOS)")
        return
    with Emulator(PROGRAM, ["-m", "128", "-fda", image, "-boot", "a", "-nic", "none", *SOUND, "-device", "AC97,audiodev=a",
                            "-record", recording], dict(server.environment, SDL_AUDIODRIVER="dummy")) as machine:
        wait_for(server.window, "the window")
        server.focus()
        server.key("Return")
        server.run("xdotool", "mousemove", "--window", server.window()[0], "100", "100", "click", "1")
        for number in range(20):
            server.run("xdotool", "mousemove_relative", "--", str(7 * (number % 5) - 10), str(5 - number % 7))
            if number % 5 == 0:
                server.run("xdotool", "click", "1")
            time.sleep(0.1)
        assert machine.quit() == 0
    replays(recording, 1200)


def main():
    need_firmware()
    if shutil.which("nasm") is None or shutil.which("xdotool") is None or shutil.which("Xvfb") is None:
        skip("no nasm, xdotool or Xvfb")
    server = XServer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return run_checks([typed_at_with_a_sound_blaster, moved_about_in_kolibri], server, folder)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
