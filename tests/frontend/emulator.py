"""What the scripts of this folder share: starting the program, talking to its monitor, small checks."""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

PROMPT = b"(reprise) "
PATIENCE = 120  # seconds until something is taken to hang, on a host that has more to do
FIRMWARE = ["/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"]
SKIPPED = 77


def skip(reason):
    print("skipped: " + reason)
    sys.exit(SKIPPED)


def need_firmware():
    if not any(os.path.exists(path) for path in FIRMWARE):
        skip("no firmware (package seabios)")


class Monitor:
    """A client of the human monitor."""

    def __init__(self, path, process=None, timeout=PATIENCE):
        deadline = time.time() + timeout
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.time() > deadline or (process and process.poll() is not None):
                    raise
                time.sleep(0.02)
        self.socket.settimeout(timeout)
        self.greeting = self.read_answer()

    def read_answer(self):
        data = b""
        while not data.endswith(PROMPT):
            part = self.socket.recv(65536)
            if not part:
                raise OSError("the monitor closed the connection")
            data += part
        return data[: -len(PROMPT)].decode(errors="replace").replace("\r\n", "\n")

    def run(self, line):
        self.socket.sendall(line.encode() + b"\n")
        return self.read_answer()

    def close(self):
        self.socket.close()


class Emulator:
    """A running program with a monitor, killed at the end whatever happened."""

    def __init__(self, program, options, environment=None):
        self.folder = tempfile.TemporaryDirectory()
        self.monitor_path = os.path.join(self.folder.name, "monitor")
        command = [program] + options + ["-monitor", f"unix:{self.monitor_path},server,nowait"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        try:
            self.monitor = Monitor(self.monitor_path, self.process)
        except OSError as error:
            self.process.kill()
            raise AssertionError("no monitor: " + self.process.communicate()[1]) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def quit(self):
        """Ends it by the monitor; returns the exit status."""
        self.monitor.socket.sendall(b"quit\n")
        return self.process.wait(PATIENCE)


def wait_for(condition, what, seconds=PATIENCE):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "waited in vain for " + (what() if callable(what) else what)
        time.sleep(0.05)


def connect(path):
    """To a Unix socket, as soon as somebody listens there: its name is there before."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)

    def connects():
        try:
            client.connect(path)
            return True
        except OSError:
            return False

    wait_for(connects, "a server at " + path)
    return client


def expect(pattern, text):
    assert re.search(pattern, text), f"no /{pattern}/ in {text!r}"


def run_checks(checks, *arguments):
    """Runs all functions; prints what failed. For the exit status."""
    failed = 0
    for check in checks:
        try:
            check(*arguments)
            print("ok    " + check.__name__)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"FAIL  {check.__name__}: {type(error).__name__}: {error}")
    return 1 if failed else 0
