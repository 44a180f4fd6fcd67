"""An emulator as a child process: its output, its processor time, and how it ended."""
import os
import select
import subprocess
import tempfile
import threading
import time
import typing


class GuestLost(Exception):
    """The guest did not do what was expected; the message says what happened instead."""


class Outcome(typing.NamedTuple):
    """How a process went that was left alone until its end."""
    output: str
    errors: str
    status: int
    timed_out: bool
    seconds: float  # of processor time, user and system
    real_seconds: float
    peak_kilobytes: int  # of resident memory


def run_to_end(argv, time_out):
    """Runs a command; an OSError says that it cannot be started."""
    with tempfile.TemporaryFile() as error_file:
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=error_file)
        # The processor time of one child comes from wait4 alone, so Popen.wait() is not used.
        timer = threading.Timer(time_out, process.kill)
        timer.start()
        output = process.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        real_seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        timed_out = not timer.is_alive()
        timer.cancel()
        process.stdout.close()
        error_file.seek(0)
        errors = error_file.read().decode(errors="replace").strip()
    return Outcome(output, errors, process.returncode, timed_out,
                   usage.ru_utime + usage.ru_stime, real_seconds, usage.ru_maxrss)


class GuestProcess:
    """One emulator whose guest's serial port is its standard input and output."""

    def __init__(self, argv, time_out):
        self.time_out = time_out
        self.pending = b""
        self.log = b""
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors)
        # The processor time clock of another process: CPUCLOCK_SCHED of Linux's posix-timers.h.
        self.clock = (~self.process.pid << 3) | 2

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def seconds(self):
        return time.clock_gettime(self.clock)

    def fail(self, reason):
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace").strip()
        text = text or self.log.decode(errors="replace").strip() or "no output"
        raise GuestLost(f"{reason}: {text.splitlines()[-1]}")

    def read_until(self, wanted, deadline=None):
        """Reads on until `wanted` has come; returns what stands before it."""
        deadline = deadline or time.monotonic() + self.time_out
        while wanted not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0, deadline - time.monotonic()))
            if not ready:
                self.fail(f"nothing for {self.time_out:g} s")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                self.fail("it ended")
            self.log += data
            self.pending += data
        before, _, self.pending = self.pending.partition(wanted)
        return before.decode(errors="replace").strip()

    def wait_for(self, wanted):
        """Waits for that line; returns the lines before it."""
        deadline = time.monotonic() + self.time_out
        lines = []
        while True:
            line = self.read_until(b"\n", deadline)
            if line == wanted:
                return lines
            lines.append(line)

    def go_on(self, line=""):
        """Types a line."""
        try:
            os.write(self.process.stdin.fileno(), line.encode() + b"\n")
        except OSError:
            self.fail("it ended")

    def memory_kilobytes(self, guest_megabytes):
        """Resident memory, without the mapping of that size, which is the guest's own."""
        total = 0
        with open(f"/proc/{self.process.pid}/smaps", encoding="ascii", errors="replace") as file:
            size = 0
            for line in file:
                fields = line.split()
                if fields[0] == "Size:":
                    size = int(fields[1])
                elif fields[0] == "Pss:" and size != guest_megabytes * 1024:
                    total += int(fields[1])
        return total

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()
