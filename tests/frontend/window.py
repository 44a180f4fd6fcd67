#!/usr/bin/env python3
"""The SDL window on a virtual X server: real key events reach the guest, the title tells, closing is quick."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from emulator import PATIENCE, Emulator, need_firmware, run_checks, skip, wait_for
from x_server import STATUS_LINE_HEIGHT, XServer

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
    with start(server) as machine:  # the guest waits for a key
        wait_for(lambda: "typewriter - Reprise - idle" in server.title(), "the title")
        assert "Ctrl-Alt-M: menu" in server.title()
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
            server.run("mogrify", "-gravity", "south", "-chop", f"0x{STATUS_LINE_HEIGHT}", shown)
            size = server.run("identify", "-format", "%w %h", shown).split()
            if len(size) != 2 or abs(int(size[0]) * 3 - int(size[1]) * 4) > 8:
                return False
            # Root mean square difference of the two, both scaled to one size, 0 to 1.
            out = subprocess.run(["compare", "-metric", "RMSE", "(", shown, "-resize", "360x200!", ")",
                                  "(", dumped, "-resize", "360x200!", ")", "null:"], capture_output=True, text=True, check=False)
            return "(" in out.stderr and float(out.stderr.split("(")[1].rstrip(")\n")) < 0.1

        wait_for(is_alike, "the window to show what screendump does")


def sizes_are_multiples_on_screens_of_many_dots(_):
    if not shutil.which("xprop"):
        print("      (no xprop)")
        return
    for screen_size, factor in (("1280x1024", 1), ("2560x1600", 2)):  # the first is too small for twice the size
        server = XServer(screen_size)
        try:
            server.run("xprop", "-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER", "*x: y\nXft.dpi:\t168\n")
            with start(server) as machine:
                wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
                wait_for(lambda: server.size() == (720 * factor, (540 + STATUS_LINE_HEIGHT) * factor),  # pylint: disable=cell-var-from-loop
                         f"sizes times {factor}")
                if os.environ.get("REPRISE_PICTURES"):
                    server.key("ctrl+alt+m")
                    time.sleep(0.5)
                    server.picture(os.path.join(os.environ["REPRISE_PICTURES"], f"times-{factor}.png"))
        finally:
            server.close()


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


def differ(one, other):
    """By more than a cursor that blinks."""
    told = subprocess.run(["compare", "-metric", "AE", one, other, "null:"], capture_output=True, text=True, check=False).stderr
    return told != "" and float(told.split()[0]) > 2000


def menu_pauses_and_changes_floppies(server):
    with tempfile.TemporaryDirectory() as folder:
        other = os.path.join(folder, "other disk.img")
        with open(other, "wb") as file:
            file.truncate(1440 * 1024)
        here = os.getcwd()
        os.chdir(folder)
        try:
            with start(server) as machine:
                server.focus()
                server.click(50, 50, button=3)
                for name in ("Down", "Down", "Return", "Return"):  # Machine, Pause
                    server.key(name)
                wait_for(lambda: "paused" in machine.monitor.run("info status"), "the menu to pause the machine")
                server.key("ctrl+alt+m")
                for name in ("Down", "Down", "Return", "Down", "Return"):
                    server.key(name)
                wait_for(lambda: "running" in machine.monitor.run("info status"), "the menu to let it go on")
                closed, menu, after = machine.path("closed.png"), machine.path("menu.png"), machine.path("after.png")
                server.picture(closed)
                server.click(3, 99)  # the status line
                for name in ("Return", "Return", "Down"):  # Floppies and CDs, the drive, behind 'Take it out'
                    server.key(name)
                wait_for(lambda: server.picture(menu) or differ(closed, menu), "the menu to be shown")
                server.key("Return")
                wait_for(lambda: "other disk.img" in machine.monitor.run("info block"), "the other floppy")
                assert screen(machine).strip() and "Return" not in screen(machine)
                # the menu is gone from the window, and the guest got none of its keys
                wait_for(lambda: server.picture(after) or differ(menu, after), "the menu to go")
        finally:
            os.chdir(here)


def pasted_text_is_typed_whole(server):
    text = "".join(f"{number:04d}_The_quick_(brown)_fox;~{number * 7}!" for number in range(60))
    with start(server) as machine:
        wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
        server.focus()
        server.paste(text)
        # it fills whole lines, so nothing stands between its parts
        wait_for(lambda: "".join(screen(machine).split()).endswith(text[-1500:]), "the text that was pasted")


def sharp_pixels_are_whole(server):
    with start(server, ["-display", "sdl,scaling=sharp"]) as machine:
        wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
        shown = machine.path("shown.png")

        def colours():
            server.picture(shown)
            # above the status line, whose frame is translucent
            return int(server.run("convert", shown, "-gravity", "north", "-crop", "100%x80%+0+0", "-format", "%k", "info:") or 0)

        wait_for(lambda: 2 <= colours() <= 16, "no colours but the guest's own")


def press(server, *names):
    for name in names:
        server.key(name)
        time.sleep(0.05)


def what_is_set_is_kept_from_run_to_run(server):
    path = os.path.join(server.state.name, "reprise", "window")

    def kept():
        try:
            with open(path, encoding="ascii") as file:
                return dict(line.strip().split(" = ") for line in file)
        except OSError:
            return {}

    def run(options, check):
        with start(server, options) as machine:
            wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
            time.sleep(0.7)
            check(machine)

    def set_something(machine):
        assert not kept(), "nothing was chosen, and there is a file"
        server.focus()
        press(server, "ctrl+alt+m", *["Down"] * 5, "Return", *["Down"] * 5, "Return")  # View, As on a tube
        wait_for(lambda: kept().get("scaling") == "crt", "the scaling to be kept")
        press(server, "ctrl+alt+m", *["Down"] * 6, "Return", "Down", "Return", "Return", "Down", "Return")  # Sound
        wait_for(lambda: kept().get("volume") == "80" and kept().get("muted") == "on", "the volume to be kept")
        press(server, "Escape", "Escape")
        server.run("xdotool", "windowsize", server.window()[0], "900", "700")
        wait_for(lambda: (kept().get("width"), kept().get("height")) == ("900", "700"), "the size to be kept")
        assert kept()["full-screen"] == "off"

    def has_that_size(_):
        wait_for(lambda: server.size() == (900, 700), lambda: f"the size that was kept, not {server.size()}")

    def has_its_own_size(machine):
        assert server.size() != (900, 700), server.size()
        server.focus()
        press(server, "ctrl+alt+m", *["Down"] * 5, "Return", *["Down"] * 3, "Return")  # Smooth pixels
        machine.quit()

    run([], set_something)
    before = kept()
    run([], has_that_size)
    run(["-no-user-config"], has_its_own_size)
    assert kept() == before, "-no-user-config, and the file was written"
    run(["-display", "sdl,scaling=sharp"], has_that_size)
    assert kept() == before, "what an option says is no choice"

    def let_it_follow(_):
        server.focus()
        press(server, "ctrl+alt+m", *["Down"] * 5, "Return", *["Down"] * 6, "Return")  # Size as the guest has it
        wait_for(lambda: kept().get("width") == "0", "the size to be the guest's again")
        wait_for(lambda: server.size() != (900, 700), "another size")

    run([], let_it_follow)
    os.unlink(path)


def snapshots_are_kept_by_name_and_deleted(server):
    with start(server, ["-snapshots", os.path.join(server.state.name, "kept")]) as machine:
        wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
        server.focus()
        press(server, "ctrl+alt+m", "Down", "Return", "Down", "Return", "l", "e", "v", "x", "BackSpace", "e", "l",
              "space", "2", "Return")
        wait_for(lambda: "level 2" in machine.monitor.run("info snapshots"), "the snapshot")
        time.sleep(0.3)  # what the menu was told is not the guest's
        assert "lev" not in screen(machine)
        press(server, "z")
        wait_for(lambda: "z" in screen(machine).split("Booting")[1], "the guest to be typed at")
        press(server, "ctrl+alt+m", "Down", "Return", "Down", "Down", "Return", "Return")
        wait_for(lambda: "z" not in screen(machine).split("Booting")[1], "the machine to go back")
        press(server, "ctrl+alt+m", "Down", "Return", "Down", "Down", "Return", "Down", "Down", "Return", "Down", "Return")
        wait_for(lambda: "level 2" not in machine.monitor.run("info snapshots"), "the snapshot to go")


def menu_records_a_film(server):
    with tempfile.TemporaryDirectory() as folder:
        here = os.getcwd()
        os.chdir(folder)
        try:
            with start(server) as machine:
                wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
                server.focus()
                press(server, "ctrl+alt+m", "Up", "Up", "Up", "Return")
                wait_for(lambda: re.search(r"\d\d frames", machine.monitor.run("info video")), "some frames of the recording")
                press(server, "ctrl+alt+m", "Up", "Up", "Up", "Return")
                wait_for(lambda: "No video" in machine.monitor.run("info video"), "the end of the recording")
                wait_for(lambda: "saved reprise-" in server.title(), "its name in the title")
                films = os.listdir(folder)
                assert len(films) == 1 and films[0].endswith(".avi"), films
                with open(films[0], "rb") as film:
                    data = film.read()
                assert int.from_bytes(data[4:8], "little") == len(data) - 8 > 1000
        finally:
            os.chdir(here)


DRAG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "x_drag.py")


def find_pythons():
    """With python3-xlib: the distribution's module need not be that of the interpreter that runs the tests."""
    pythons = [name for name in (sys.executable, "/usr/bin/python3")
               if os.path.exists(name) and subprocess.run([name, "-c", "import Xlib"], capture_output=True, check=False).returncode == 0]
    if not pythons:
        print("      (no python3-xlib: nothing is dropped)")
    return pythons


def a_hint_shows_while_something_is_dragged(server):
    pythons = find_pythons()
    if not pythons:
        return

    def title_pixels(machine):  # of the overlay's frame and headings, above the status line
        shown = machine.path("shown.png")
        server.picture(shown)
        return int(server.run("convert", shown, "-gravity", "north", "-crop", "100%x90%+0+0", "-fill", "black", "+opaque", "#7FE0B0",
                              "-fill", "white", "-opaque", "#7FE0B0", "-format", "%[fx:int(mean*w*h)]", "info:") or 0)

    with start(server, ["-display", "sdl,scaling=sharp"]) as machine:
        wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
        wait_for(lambda: title_pixels(machine) == 0, "a picture without a menu")
        with subprocess.Popen([pythons[0], DRAG, "--leave", server.display, server.window()[0], "/etc/hostname"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as drag:
            assert drag.stdout.readline() == "over\n"
            wait_for(lambda: title_pixels(machine) > 500, "the hint")
            if os.environ.get("REPRISE_PICTURES"):
                server.picture(os.path.join(os.environ["REPRISE_PICTURES"], "drag.png"))
            drag.communicate("\n", timeout=PATIENCE)

        def hint_is_gone():  # as after a real drag the pointer moves
            server.run("xdotool", "mousemove_relative", "--", "1", "0")
            return title_pixels(machine) == 0

        wait_for(hint_is_gone, "the hint to go")


def dropped_files_go_into_drives(server):
    pythons = find_pythons()
    if not pythons:
        return
    with tempfile.TemporaryDirectory() as folder:
        def make(name, data):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(data)
            return path

        floppy = make("other disk.img", bytes(1440 * 1024))
        disc = make("disc.bin", bytes(16 * 2048) + b"\1CD001\1" + bytes(4 * 2048))
        disk = make("large.img", bytes(20 << 20))
        notes, more = make("N\u00f6tes of mine.txt", b"written on the host\r\n"), make("MORE.BAT", b"echo more\r\n")
        large = make("film.dat", bytes(2 << 20))
        os.mkdir(os.path.join(folder, "things"))
        make("things/INSIDE.TXT", b"inside")
        with start(server) as machine:
            wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")

            def drop(paths, told):
                subprocess.run([pythons[0], DRAG, server.display, server.window()[0]] + paths, timeout=PATIENCE, check=True)
                wait_for(lambda: told in server.title(), lambda: told + " in the title, not " + server.title())

            def read_floppy():
                # what the guest would read: the sectors of the directory and of the files
                return machine.monitor.run("info block")

            drop([floppy], "other disk.img is in floppy drive A:")
            assert "other disk.img" in read_floppy()
            drop([disc], "disc.bin is in ide1-cd0")
            assert "disc.bin" in read_floppy()
            drop([disk], "hard disks cannot be changed")
            drop([notes, more], "MORE.BAT is in floppy drive A:")
            medium = [line for line in read_floppy().split("\n") if line.startswith("floppy0")][0]
            given = medium[medium.index("/tmp/reprise-files-"):].split(" ")[0].rstrip(",")
            with open(os.path.join(given, os.path.basename(notes)), "rb") as file:
                assert file.read() == b"written on the host\r\n"
            assert sorted(os.listdir(given)) == sorted([os.path.basename(notes), "MORE.BAT"])
            drop([large], "film.dat does not fit on a floppy")
            drop([os.path.join(folder, "things")], "things is in floppy drive A:")
            assert "things" in read_floppy()
            machine.quit()
            assert not os.path.exists(given), "the copies are left"


def network_has_a_lamp(server):
    # iPXE asks for an address
    with Emulator(PROGRAM, ["-m", "16", "-boot", "n", "-nic", "user,model=e1000"], server.environment) as machine:
        wait_for(server.window, "the window")

        def lit_pixels():
            shown = machine.path("shown.png")
            server.picture(shown)
            return int(server.run("convert", shown, "-gravity", "south", "-crop", f"100%x{STATUS_LINE_HEIGHT}+0+0", "-fill", "black",
                                  "+opaque", "#FFB040", "-fill", "white", "-opaque", "#FFB040", "-format", "%[fx:int(mean*w*h)]", "info:") or 0)

        began = time.time()
        reset = began
        while lit_pixels() <= 10:  # it asks for some seconds, and a busy host looks seldom
            assert time.time() - began < 4 * PATIENCE, "the lamp was never lit"
            if time.time() - reset > 10:
                machine.monitor.run("system_reset")
                reset = time.time()
        machine.monitor.run("stop")
        wait_for(lambda: lit_pixels() == 0, "the lamp to go out")


def start_page_offers_images_and_remembers(server):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(os.path.dirname(PROGRAM), "roms", "demo.img"), os.path.join(folder, "a face.img"))
        with open(os.path.join(folder, "old friend.reprise"), "w", encoding="ascii") as file:
            file.write("name = Old Friend\nm = 8\nfda = a face.img\nsnapshot\n")

        def run_once(keys, title):
            """The exit status; None where the machine's window came, which is then closed."""
            with subprocess.Popen([PROGRAM], cwd=folder, env=server.environment, stdin=subprocess.DEVNULL) as process:
                try:
                    wait_for(server.window, "the start page")
                    server.focus()
                    wait_for(lambda: server.count_colours() > 2, "its entries")
                    time.sleep(0.3)
                    for name in keys:
                        server.key(name)
                        time.sleep(0.2)
                    if title is None:
                        return process.wait(30)
                    wait_for(lambda: title in server.title(), title, 30)
                finally:
                    process.kill()
            wait_for(lambda: not server.window(), "the window to go")
            return None

        def run(keys, title):
            # the X server drops keys for a window that is just getting the keyboard
            for _ in range(3):
                try:
                    return run_once(keys, title)
                except (AssertionError, IndexError, subprocess.TimeoutExpired) as error:
                    lost = error
            raise lost

        run(["Down", "Return"], "Old Friend - Reprise")  # behind the image: by name
        with open(os.path.join(server.state.name, "reprise", "recent"), encoding="utf-8") as file:
            assert file.read() == os.path.realpath(os.path.join(folder, "old friend.reprise")) + "\n"
        run(["Return"], "Old Friend - Reprise")  # it is the first now
        assert run(["Up", "Return"], None) == 0  # Quit, round the end


def closing_is_quick(server):
    """At least one time of several: a host may be busy."""
    took = [PATIENCE]
    while min(took) > 3:
        assert len(took) < 6, f"closing took {took} s"
        with start(server) as machine:
            before = time.time()
            server.run("xdotool", "windowclose", server.window()[0])
            machine.process.wait(PATIENCE)
            took.append(time.time() - before)


def main():
    need_firmware()
    for tool in ("Xvfb", "xdotool", "xclip", "import", "compare"):
        if not shutil.which(tool):
            skip(f"no {tool}")
    server = XServer()
    try:
        return run_checks([keys_reach_the_guest, mouse_reaches_the_guest_once_grabbed, title_tells_name_speed_and_keys, keys_change_the_speed, sizes_are_multiples_on_screens_of_many_dots, window_shows_the_screen_in_its_shape,
                           screenshot_key_saves_a_picture, menu_pauses_and_changes_floppies, pasted_text_is_typed_whole, what_is_set_is_kept_from_run_to_run, snapshots_are_kept_by_name_and_deleted,
                           menu_records_a_film, network_has_a_lamp, a_hint_shows_while_something_is_dragged, dropped_files_go_into_drives,
                           sharp_pixels_are_whole, start_page_offers_images_and_remembers, closing_is_quick], server)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
