#!/usr/bin/env python3
"""The VNC server as its clients see it: by TCP, by a Unix socket and by WebSocket; a real client and a real browser where they
are installed."""
import base64
import json
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

from emulator import PATIENCE, Emulator, need_firmware, run_checks, skip, wait_for
from web_socket import TEXT, WebSocket

PROGRAM = os.path.abspath(sys.argv[1])
DEMO = os.path.join(os.path.dirname(PROGRAM), "roms", "demo.img")
# Shows what the BIOS reads from the keyboard: sti; next: mov ah,0; int 16h; mov ah,0Eh; int 10h; jmp next
TYPEWRITER = bytes.fromhex("fbb400cd16b40ecd10ebf6")
NO_AUTHENTICATION, PASSWORD = 1, 2
NO_VNC = "/usr/share/novnc"
KEY_SECONDS = 0.05  # from key to key: a keyboard keeps few
RAW, NEW_SIZE, EXTENDED_KEY = 0, -223, -258


class Stream:
    """Bytes over a socket, as WebSocket's client has them."""

    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise OSError("the connection was closed")
            data += part
        return data

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        self.socket.close()


class Client:
    """A client of the RFB protocol (RFC 6143) with raw pictures."""

    def __init__(self, stream, answer=None):
        self.stream = stream
        self.extended_keys = False
        assert stream.receive(12) == b"RFB 003.008\n"
        stream.send(b"RFB 003.008\n")
        offered = stream.receive(stream.receive(1)[0])
        wanted = PASSWORD if answer else NO_AUTHENTICATION
        assert offered == bytes([wanted]), f"kinds of authentication: {offered}"
        stream.send(bytes([wanted]))
        if answer:
            stream.send(answer(stream.receive(16)))
        self.accepted = stream.receive(4) == bytes(4)
        if not self.accepted:
            return
        stream.send(b"\1")  # others may stay
        self.width, self.height = struct.unpack(">HH", stream.receive(4))
        stream.receive(16)
        self.name = stream.receive(struct.unpack(">I", stream.receive(4))[0]).decode()
        self.pixels = bytearray(self.width * self.height * 4)
        # blue in the lowest byte, as PPM files are made of easily
        stream.send(bytes(4) + bytes([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]))
        encodings = (RAW, NEW_SIZE, EXTENDED_KEY)
        stream.send(struct.pack(">BBH", 2, 0, len(encodings)) + b"".join(struct.pack(">i", one) for one in encodings))

    def ask(self, incremental=True):
        self.stream.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def read_rectangle(self):
        left, top, width, height, encoding = struct.unpack(">HHHHi", self.stream.receive(12))
        if encoding == NEW_SIZE:
            self.width, self.height = width, height
            self.pixels = bytearray(width * height * 4)
        elif encoding == EXTENDED_KEY:
            self.extended_keys = True
        else:
            assert encoding == RAW
            for line in range(top, top + height):
                start = (line * self.width + left) * 4
                self.pixels[start:start + width * 4] = self.stream.receive(width * 4)
        return encoding

    def update(self, incremental=True):
        self.ask(incremental)
        self.read_update()

    def read_update(self):
        kind = EXTENDED_KEY  # comes without being asked for
        while kind == EXTENDED_KEY:
            assert self.stream.receive(1) == b"\0"
            for _ in range(struct.unpack(">xH", self.stream.receive(3))[0]):
                kind = self.read_rectangle()

    def key(self, symbol, down):
        self.stream.send(struct.pack(">BBHI", 4, down, 0, symbol))

    def press(self, symbol):
        self.key(symbol, True)
        self.key(symbol, False)
        time.sleep(KEY_SECONDS)

    def press_code(self, code, symbol):
        for down in (1, 0):
            self.stream.send(struct.pack(">BBHII", 255, 0, down, symbol, code))
        time.sleep(KEY_SECONDS)

    def pointer(self, x, y, buttons=0):
        self.stream.send(struct.pack(">BBHH", 5, buttons, x, y))

    def colours(self):
        """As in a PPM file: red, green, blue."""
        pixels = bytes(self.pixels)
        rgb = bytearray(len(pixels) // 4 * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
        return bytes(rgb)


def free_display():
    """The number of a display whose ports nobody has."""
    while True:
        number = random.randrange(100, 9000)
        for port in (5900 + number, 5700 + number):
            with socket.socket() as trial:
                try:
                    trial.bind(("127.0.0.1", port))
                except OSError:
                    break
        else:
            return number


def start(vnc, image=DEMO, options=()):
    return Emulator(PROGRAM, ["-fda", image, "-boot", "a", "-snapshot", "-name", "seen from afar", "-vnc", vnc, *options])


def start_typewriter(vnc, options=()):
    with tempfile.NamedTemporaryFile(suffix=".img", delete=False) as file:
        file.write((TYPEWRITER + b"\0" * 510)[:510] + b"\x55\xaa")
    machine = start(vnc, file.name, options)
    os.unlink(file.name)
    wait_for(lambda: "Booting from Floppy" in screen(machine), "the guest")
    return machine


def screen(machine):
    return machine.monitor.run("screentext")


def dumped(machine):
    path = machine.path("dumped.ppm")
    machine.monitor.run("screendump " + path)
    with open(path, "rb") as file:
        return file.read().split(b"\n255\n", 1)[1]


def pictures_are_the_guests(_):
    number = free_display()
    with tempfile.TemporaryDirectory() as folder, start(f"127.0.0.1:{number},websocket=on") as machine, \
            start("unix:" + os.path.join(folder, "vnc")):
        streams = [Stream(("127.0.0.1", 5900 + number)), WebSocket("127.0.0.1", 5700 + number, protocol="binary")]
        assert os.stat(os.path.join(folder, "vnc")).st_mode & 0o077 == 0, "others may use the socket"
        Client(Stream(os.path.join(folder, "vnc"))).stream.close()
        for client in [Client(stream) for stream in streams]:
            assert client.name == "seen from afar"
            client.update(False)

            def is_alike(client=client):
                client.update(False)
                machine.monitor.run("stop")  # the cursor blinks
                time.sleep(0.1)
                client.update(False)
                alike = client.colours() == dumped(machine)
                machine.monitor.run("cont")
                return alike and "Processor" in screen(machine)

            wait_for(is_alike, "the guest's picture")
            client.stream.close()
        assert machine.quit() == 0


def keys_by_symbol_and_by_place(_):
    number = free_display()
    with start_typewriter(f":{number}") as machine:
        client = Client(Stream(("127.0.0.1", 5900 + number)))
        client.update(False)
        wait_for(lambda: client.extended_keys or client.update(False), "the extension for keys")
        for symbol in b"vnc ":
            client.press(symbol)
        client.key(0xFFE1, True)  # Shift, with the symbol that it makes
        client.press(ord("!"))
        client.key(0xFFE1, False)
        client.press(0xFFB7)  # 7 of the keypad, where Num Lock is off: the guest hears Home
        client.press_code(0x15, ord("z"))  # where a German keyboard has Z, a US one has Y
        client.press(ord("."))
        wait_for(lambda: "vnc !" in screen(machine) and "y" in screen(machine).split("vnc !")[1], "what was typed")
        assert "z" not in screen(machine).split("vnc !")[1]
        client.stream.close()


def letters_behind_dead_keys(_):
    """The BIOS has a US keyboard: it tells which keys a German one is pressed at."""
    number = free_display()
    with start_typewriter(f":{number}", ["-k", "de"]) as machine:
        client = Client(Stream(("127.0.0.1", 5900 + number)))
        for symbol in (ord("z"), 0xFC, 0xE9, 0xC9):  # z, u umlaut on its key, e and E with an acute accent
            client.press(symbol)
        client.key(0xFFE1, True)  # Shift stays down for what follows
        client.press(0xE0)  # a with a grave accent, whose dead key wants Shift, and the letter not
        client.press(ord("A"))
        client.key(0xFFE1, False)
        client.press(0x1000000 + ord("a"))
        client.press(ord("."))
        wait_for(lambda: "y[=e=E+aAa." in screen(machine), "what was typed")
        client.stream.close()


def keys_and_pointer_in_a_burst(_):
    """All of it comes at once, keys between movements and buttons, from two clients: no key is lost, and those of a client stay in order."""
    number = free_display()
    text = "".join("abcdefghijklmnopqrstuvwxyz0123456789"[place * 7 % 36] for place in range(150))
    with start_typewriter(f":{number}", ["-device", "usb-tablet"]) as machine:
        client, other = (Client(Stream(("127.0.0.1", 5900 + number))) for _ in range(2))
        for place, letter in enumerate(text):
            client.pointer(place * 4, place * 3)
            client.press(ord(letter))
            other.pointer(600 - place * 4, place)
        wait_for(lambda: text in "".join(screen(machine).split()), "what was typed")
        for one in (client, other):
            one.stream.close()


def the_pointer_moves_the_mouse(_):
    number = free_display()

    def face(machine):
        return next(((row, line.index("\u263b")) for row, line in enumerate(screen(machine).split("\n")) if "\u263b" in line), None)

    with start(f":{number}") as machine:
        wait_for(lambda: face(machine) is not None and "mouse is there" in screen(machine), "the demo's face")
        client = Client(Stream(("127.0.0.1", 5900 + number)))
        before, place = face(machine), [100]
        client.pointer(100, 100)

        def moves():
            place[0] += 20
            client.pointer(place[0], 100)
            return face(machine) not in (None, before)

        wait_for(moves, "the face to follow")
        client.stream.close()


def nothing_is_sent_while_nothing_moves(_):
    number = free_display()
    with start(f":{number}") as machine:
        wait_for(lambda: "mouse is there" in screen(machine), "the demo")
        machine.monitor.run("stop")
        client = Client(Stream(("127.0.0.1", 5900 + number)))
        client.update(False)
        client.ask()
        for _ in range(10):  # what was drawn last may be late
            if not select.select([client.stream.socket], [], [], 1.5)[0]:
                break
            client.read_update()
            client.ask()
        else:
            raise AssertionError("something was sent of a screen that stands still")
        client.stream.close()


def passwords_are_asked_for(_):
    number = free_display()
    if not shutil.which("openssl"):
        print("left out: passwords (no openssl, whose DES they need)")
        return

    def answer_for(password):
        # RFC 6143, 7.2.2: each byte of the key with its bits mirrored
        key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode().ljust(8, b"\0")[:8])

        def answer(challenge):
            return subprocess.run(["openssl", "enc", "-des-ecb", "-K", key.hex(), "-nopad", "-provider", "legacy", "-provider",
                                   "default"], input=challenge, capture_output=True, check=True).stdout

        return answer

    def is_accepted(password):
        client = Client(Stream(("127.0.0.1", 5900 + number)), answer_for(password))
        client.stream.close()
        return client.accepted

    with start(f"0.0.0.0:{number},password=on") as machine:
        assert not is_accepted(""), "let in before a password was set"
        assert machine.monitor.run("set_password vnc open sesame").strip() == ""
        assert is_accepted("open") and not is_accepted("closed")
        machine.monitor.run("change vnc password different")
        assert is_accepted("differen") and not is_accepted("open")
    for address in (f"0.0.0.0:{number}", f"192.0.2.1:{number}", f":{number},websocket=0.0.0.0:{number + 1}"):
        result = subprocess.run([PROGRAM, "-vnc", address], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert result.returncode == 1 and "without a password" in result.stderr and result.stderr.count("\n") == 1, result.stderr


def hostile_clients_do_no_harm(_):
    number = free_display()
    noise = random.Random(int(os.environ.get("REPRISE_SEED", "1")))
    with start(f":{number}") as machine:
        for _ in range(int(os.environ.get("REPRISE_CASES", "60"))):
            try:
                stream = Stream(("127.0.0.1", 5900 + number))
                if noise.random() < 0.3:
                    stream.send(noise.randbytes(noise.randrange(1, 100)))
                else:
                    client = Client(stream)
                    for _ in range(noise.randrange(1, 6)):
                        kind = noise.choice([0, 2, 3, 4, 5, 6, 255, noise.randrange(256)])
                        stream.send(bytes([kind]) + noise.randbytes(noise.randrange(0, 40)))
                    client.stream.socket.settimeout(0.05)
                    client.stream.socket.recv(1000)
            except (OSError, AssertionError):
                pass
            finally:
                stream.close()
        client = Client(Stream(("127.0.0.1", 5900 + number)))
        client.update(False)
        client.stream.close()
        assert "running" in machine.monitor.run("info status")


def a_real_client_shows_it(_):
    if not shutil.which("gvnccapture"):
        print("left out: a real client (no gvnccapture of the package gvncviewer)")
        return
    number = free_display()
    with start(f":{number}") as machine:
        wait_for(lambda: "mouse is there" in screen(machine), "the demo")
        machine.monitor.run("stop")
        picture = machine.path("shown.png")
        subprocess.run(["gvnccapture", "-q", f"127.0.0.1:{number}", picture], timeout=PATIENCE, check=True)
        shown = subprocess.run(["convert", picture, "rgb:-"], capture_output=True, check=True).stdout
        assert shown == dumped(machine), "another picture"


def a_browser_shows_it(_):
    """noVNC in Chromium, told by Chromium's own debugging protocol what it shows."""
    if os.environ.get("REPRISE_LONG") != "1" or not shutil.which("chromium") or not os.path.isdir(NO_VNC):
        print("left out: a browser (only in long runs, with chromium and novnc)")
        return
    number, web, control = free_display(), free_display(), free_display()
    with tempfile.TemporaryDirectory() as folder, start(f":{number},websocket=on") as machine:
        page = f"http://127.0.0.1:{web}/vnc_lite.html?host=127.0.0.1&port={5700 + number}&path="
        server = subprocess.Popen([sys.executable, "-m", "http.server", "-d", NO_VNC, "--bind", "127.0.0.1", str(web)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        browser = subprocess.Popen(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={control}",
                                    "--remote-allow-origins=*", "--user-data-dir=" + folder, "--window-size=900,700", page],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: "mouse is there" in screen(machine), "the demo")

            def blue_share():
                picture = machine.path("browser.png")
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{control}/json") as answer:
                        address = next(one for one in json.load(answer) if one["type"] == "page")["webSocketDebuggerUrl"]
                    connection = WebSocket("127.0.0.1", control, address.split(str(control), 1)[1])
                    connection.send(json.dumps({"id": 1, "method": "Page.captureScreenshot"}).encode(), TEXT)
                    told = json.loads(connection.receive_message())
                    connection.close()
                except OSError:
                    return 0
                with open(picture, "wb") as file:
                    file.write(base64.b64decode(told["result"]["data"]))
                colours = subprocess.run(["convert", picture, "-depth", "8", "rgb:-"], capture_output=True, check=True).stdout
                blue = sum(1 for i in range(0, len(colours), 3) if colours[i] < 8 and colours[i + 1] < 8 and colours[i + 2] > 150)
                return blue / (len(colours) // 3)

            wait_for(lambda: blue_share() > 0.2, "the demo's blue in the browser")
        finally:
            browser.kill()
            server.kill()
            browser.wait()
            server.wait()


def main():
    need_firmware()
    checks = [pictures_are_the_guests, keys_by_symbol_and_by_place, letters_behind_dead_keys, keys_and_pointer_in_a_burst, the_pointer_moves_the_mouse,
              nothing_is_sent_while_nothing_moves,
              hostile_clients_do_no_harm, passwords_are_asked_for, a_real_client_shows_it, a_browser_shows_it]
    probe = subprocess.run([PROGRAM, "-vnc", f":{free_display()}", "-bios", "/nowhere"], capture_output=True, text=True, check=False)
    if "has no VNC server" in probe.stderr:
        skip("this build has no VNC server")
    return run_checks(checks, None)


if __name__ == "__main__":
    sys.exit(main())
