#!/usr/bin/env python3
"""What ./run does without a display: a run of bounded time, a picture of the last screen, its name, the exit status."""
import os
import subprocess
import sys
import tempfile
import time

from emulator import PATIENCE, expect, need_firmware, run_checks

PROGRAM = os.path.abspath(sys.argv[1])
TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".ci", "run_headless.py")


def run(options, seconds):
    """In a folder of its own; returns the result, the picture's first bytes and the time it took."""
    with tempfile.TemporaryDirectory() as folder:
        before = time.time()
        result = subprocess.run([sys.executable, TOOL, PROGRAM] + options, cwd=folder, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=PATIENCE, check=False,
                                env=dict(os.environ, REPRISE_SECONDS=str(seconds)))
        picture = b""
        path = os.path.join(folder, "reprise-screen-1.png")
        if os.path.exists(path):
            with open(path, "rb") as file:
                picture = file.read(8)
            assert path in result.stdout, "the picture is not named"
        return result, picture, time.time() - before


def demo_ends_by_itself_with_a_picture():
    result, picture, seconds = run(["demo", "-snapshot"], 4)
    assert result.returncode == 0, result
    assert picture == b"\x89PNG\r\n\x1a\n"
    assert seconds < 90
    expect("The time is over", result.stdout)


def bad_input_ends_at_once():
    result, picture, seconds = run(["/nowhere/dos.img"], 100)
    assert result.returncode == 1 and picture == b""
    expect("^reprise: .*/nowhere/dos.img", result.stderr)
    assert seconds < 90


def status_of_the_guest_is_passed_on():
    """mov dx,501h; mov al,3; out dx,al; hlt"""
    with tempfile.NamedTemporaryFile() as image:
        code = bytes.fromhex("ba0105b003eef4")
        image.write((code + b"\0" * 510)[:510] + b"\x55\xaa")
        image.flush()
        result, _, _ = run(["-fda", image.name, "-boot", "a", "-device", "isa-debug-exit"], 100)
        assert result.returncode == 7, result


def panic_ends_the_run():
    """mov dx,505h; in al,dx; out dx,al; hlt"""
    with tempfile.NamedTemporaryFile() as image:
        code = bytes.fromhex("ba0505eceef4")
        image.write((code + b"\0" * 510)[:510] + b"\x55\xaa")
        image.flush()
        result, _, seconds = run(["-fda", image.name, "-boot", "a", "-device", "pvpanic"], 100)
        assert result.returncode == 0 and seconds < 90, result


if __name__ == "__main__":
    need_firmware()
    sys.exit(run_checks([demo_ends_by_itself_with_a_picture, bad_input_ends_at_once, status_of_the_guest_is_passed_on,
                         panic_ends_the_run]))
