"""A virtual machine under test: one emulator process, driven from outside.

Everything goes through what Reprise shares with QEMU: a monitor on a unix socket, the serial port
in a file or on a socket, and screendump. So the tests can be tried out under qemu-system-i386, too.
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import picture

START_SECONDS = 120
MONITOR_SECONDS = 120
POLL_SECONDS = 0.2
KEY_SECONDS = 0.11  # the monitor holds a key for 100 ms of the guest's time

# Keys of a US keyboard whose names are not the characters themselves.
KEY_NAMES = {
    " ": "spc", "\n": "ret", "\t": "tab", "-": "minus", "=": "equal", ".": "dot", ",": "comma",
    "/": "slash", "\\": "backslash", ";": "semicolon", "'": "apostrophe", "`": "grave_accent",
    "[": "bracket_left", "]": "bracket_right", ":": "shift-semicolon", "_": "shift-minus",
    "+": "shift-equal", "(": "shift-9", ")": "shift-0", "*": "shift-8", "&": "shift-7",
    "!": "shift-1", "@": "shift-2", "#": "shift-3", "$": "shift-4", "%": "shift-5",
    "|": "shift-backslash", "{": "shift-bracket_left", "}": "shift-bracket_right", "^": "shift-6",
    "~": "shift-grave_accent", ">": "shift-dot", "<": "shift-comma", "?": "shift-slash",
    '"': "shift-apostrophe",
}


class VmError(Exception):
    """The guest or the emulator did not do what the test expects."""


class Vm:
    def __init__(self, emulator, options, accelerator=None, patience=1.0, window=None, serial="file"):
        """Starts EMULATOR headless. PATIENCE stretches all time-outs. WINDOW, an environment that
        names an X server, opens a window. The first serial port goes to a file; with None OPTIONS say where."""
        self.folder = tempfile.mkdtemp(prefix="guest-test-")
        self.patience = patience
        self.is_qemu = "qemu" in os.path.basename(emulator)
        monitor_path = os.path.join(self.folder, "monitor")
        self.serial_path = os.path.join(self.folder, "serial")
        self.log_path = os.path.join(self.folder, "log")
        accelerator = "tcg" if self.is_qemu else accelerator
        argv = [emulator] + (["-accel", accelerator] if accelerator else [])
        argv += ["-display", "sdl" if window else "none", "-monitor", f"unix:{monitor_path},server,nowait",
                 *(["-serial", f"{serial}:{self.serial_path}"] if serial else [])] + options
        self.command_line = " ".join(argv)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=window)
        self.monitor = None
        try:
            self.monitor = self._connect(monitor_path)
            self.monitor.settimeout(MONITOR_SECONDS * self.patience)
            self._read_reply()
        except Exception:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _connect(self, path):
        end = time.monotonic() + START_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(path)
                return connection
            except OSError:
                connection.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    raise VmError("the emulator did not start: " + self.read_log()[-500:])
                time.sleep(0.05)

    def _read_reply(self):
        data = b""
        while not re.search(rb"\((reprise|qemu)\) $", data):
            part = self.monitor.recv(1 << 16)
            if not part:
                raise VmError("the monitor closed: " + self.read_log()[-500:])
            data += part
        return data.decode(errors="replace")

    def execute(self, command):
        """Gives a command to the monitor and returns what it prints."""
        try:
            self.monitor.sendall(command.encode() + b"\n")
            reply = self._read_reply()
        except OSError as error:
            raise VmError(f"the monitor does not answer '{command}': {error}")
        if self.is_qemu:
            reply = reply.partition("\n")[2]  # without the echo
        return reply.rpartition("(")[0].replace("\r", "")

    def read_text(self):
        """The text screen, a string of lines; empty while the screen shows graphics."""
        if not self.is_qemu:
            reply = self.execute("screentext")
            return "" if "not text" in reply else reply
        # All of text memory, since systems scroll by moving the start address.
        cells = []
        for match in re.finditer(r"^[0-9a-f]+:(.*)$", self.execute("xp /8192xw 0xb8000"), re.M):
            for word in match.group(1).split():
                cells += [int(word, 16) & 255, int(word, 16) >> 16 & 255]
        text = "".join(chr(cell) if 32 <= cell < 127 else " " for cell in cells)
        return "\n".join(text[i:i + 80].rstrip() for i in range(0, len(text), 80))

    def read_serial(self):
        try:
            with open(self.serial_path, "rb") as file:
                return file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def read_log(self):
        try:
            with open(self.log_path, "rb") as file:
                return file.read().decode(errors="replace")
        except FileNotFoundError:  # closed already
            return ""

    def wait_until(self, condition, seconds, what):
        """Polls CONDITION() until it is true; returns its value."""
        end = time.monotonic() + seconds * self.patience
        while True:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                raise VmError(f"the emulator ended with status {self.process.returncode} "
                              f"before {what}")
            if time.monotonic() > end:
                raise VmError(f"no {what} after {seconds * self.patience:.0f} s")
            time.sleep(POLL_SECONDS)

    def wait_text(self, pattern, seconds=60):
        """Waits for a regular expression (lines apart) on the text screen; returns the match."""
        compiled = re.compile(pattern, re.MULTILINE)
        return self.wait_until(lambda: compiled.search(self.read_text()), seconds,
                               f"'{pattern}' on the screen")

    def wait_serial(self, pattern, seconds=60):
        compiled = re.compile(pattern, re.MULTILINE)
        return self.wait_until(lambda: compiled.search(self.read_serial()), seconds,
                               f"'{pattern}' on the serial port")

    def take_picture(self):
        path = os.path.join(self.folder, "screen.ppm")
        reply = self.execute(f"screendump {path}")
        if not os.path.exists(path):
            raise VmError("screendump: " + reply)
        shot = picture.read_picture(path)
        os.unlink(path)
        return shot

    def send_key(self, name):
        while "too many keys" in self.execute("sendkey " + name):  # a busy host's guest takes its time
            time.sleep(KEY_SECONDS)

    def type_text(self, text):
        for character in text:
            name = KEY_NAMES.get(character, character)
            self.send_key("shift-" + name.lower() if name.isupper() else name)
            time.sleep(KEY_SECONDS)

    def wait_exit(self, seconds=30):
        """Waits until the emulator ends by itself; returns its exit status."""
        try:
            return self.process.wait(seconds * self.patience)
        except subprocess.TimeoutExpired:
            raise VmError(f"the emulator still runs after {seconds * self.patience:.0f} s")

    def quit(self):
        """Ends the emulator by its monitor; returns its exit status."""
        self.monitor.sendall(b"quit\n")
        return self.wait_exit(10)

    def describe(self):
        """What a failing test prints: how it was started and where it stands."""
        lines = ["started as: " + self.command_line]
        if self.process.poll() is None and self.monitor:
            try:
                text = self.read_text()
                lines += ["screen:"] + [line for line in text.splitlines() if line.strip()]
                lines += ["registers:", self.execute("info registers")]
            except (VmError, OSError) as error:
                lines.append(f"no screen: {error}")
        else:
            lines.append(f"exit status: {self.process.poll()}")
        lines += ["serial:", self.read_serial()[-1000:], "log:", self.read_log()[-1000:]]
        return "\n".join(lines)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.monitor:
            self.monitor.close()
        shutil.rmtree(self.folder, ignore_errors=True)
