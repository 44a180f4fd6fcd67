#!/usr/bin/env python3
"""200 keys in one burst, by QMP, faster than any keyboard sends them: the guest gets all of them, in their order, and a
recording of that replays."""
import json
import os
import subprocess
import sys
import tempfile
import time

from emulator import PATIENCE, connect, need_firmware, run_checks, wait_for

PROGRAM = os.path.abspath(sys.argv[1])
# Shows what the BIOS reads from the keyboard: sti; next: mov ah,0; int 16h; mov ah,0Eh; int 10h; jmp next
TYPEWRITER = bytes.fromhex("fbb400cd16b40ecd10ebf6")
TEXT = "".join("abcdefghijklmnopqrstuvwxyz0123456789"[number * 7 % 36] for number in range(200))


class Qmp:
    def __init__(self, path):
        self.socket = connect(path)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "event" not in answer:
                assert "return" in answer, answer
                return answer["return"]

    def screen(self):
        return "".join(self.run("human-monitor-command", **{"command-line": "screentext"}).split())


def keys_of_a_burst_arrive():
    with tempfile.TemporaryDirectory() as folder:
        image, path, recording = (os.path.join(folder, name) for name in ("type.img", "qmp", "run.rec"))
        with open(image, "wb") as file:
            file.write((TYPEWRITER + b"\0" * 510)[:510] + b"\x55\xaa")
        process = subprocess.Popen([PROGRAM, "-display", "none", "-m", "4", "-nic", "none", "-fda", image, "-boot", "a",
                                    "-qmp", f"unix:{path},server=on,wait=off", "-record", recording], stdin=subprocess.DEVNULL)
        try:
            qmp = Qmp(path)
            wait_for(lambda: "BootingfromFloppy" in qmp.screen(), "the guest")
            time.sleep(0.5)
            events = [{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": letter}}}
                      for letter in TEXT for down in (True, False)]
            qmp.run("input-send-event", events=events)
            wait_for(lambda: qmp.screen().endswith(TEXT), lambda: "the keys: " + qmp.screen())
            qmp.run("quit")
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
        told = subprocess.run([PROGRAM, "replay", recording], capture_output=True, text=True, timeout=120, check=False)
        assert told.returncode == 0 and "the state at the end is the recorded one" in told.stdout, told


if __name__ == "__main__":
    need_firmware()
    sys.exit(run_checks([keys_of_a_burst_arrive]))
