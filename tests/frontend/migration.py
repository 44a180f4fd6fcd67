#!/usr/bin/env python3
"""Machines that move between two processes: by every kind of channel, with shared and with copied disks, cancelled, refused,
and with either process killed at each step of the hand-over and at random moments: one of them is the machine, never both."""
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from emulator import PATIENCE, run_checks, skip, wait_for
from qmp_client import Qmp

PROGRAM = sys.argv[1]
LONG = os.environ.get("REPRISE_LONG") == "1"
KILLS = int(os.environ.get("REPRISE_CASES", "200" if LONG else "10"))

# Counts in 128 pages between 64 KB and 576 KB, for ever, and now and then sends the next byte by the serial port:
#     xor ax,ax; mov ds,ax
# 4:  mov bx,1000h
# 7:  mov es,bx; xor di,di
# 11: inc word [es:di]; add di,1000h; jnz 11
# 20: add bx,1000h; cmp bx,9000h; jne 7
# 30: inc word [500h]; jnz 4
# 36: mov dx,3F8h; mov al,[502h]; out dx,al; inc byte [502h]; jmp 4
COUNTER = bytes.fromhex("31c0 8ed8 bb0010 8ec3 31ff 26ff05 81c70010 75f7 81c30010 81fb0090 75e9 ff060005 75e0 baf803 a00205 ee fe060205 ebd3")
# Writes a sector of the primary hard disk again and again, its first word counting, LBA 1: a guest that owns a disk.
#     xor ax,ax; mov ds,ax; mov si,600h
# 7:  mov dx,1F7h
# 10: in al,dx; test al,88h (BSY, DRQ); jnz 10
# 15: inc word [600h]
# 19: mov dx,1F2h; mov al,1; out dx,al; inc dx; out dx,al; inc dx; mov al,0; out dx,al; inc dx; out dx,al; inc dx; mov al,E0h; out dx,al
# 37: inc dx; mov al,30h; out dx,al
# 41: in al,dx; test al,8 (DRQ); jz 41
# 46: mov dx,1F0h; mov cx,256; mov si,600h; rep outsw
# 57: mov dx,3F8h; mov al,[600h]; out dx,al; jmp 7
WRITER = bytes.fromhex("31c0 8ed8 be0006 baf701 ec a888 75fb ff060006 baf201 b001 ee 42 ee 42 b000 ee 42 ee 42 b0e0 ee 42 b030 ee "
                       "ec a808 74fb baf001 b90001 be0006 f36f baf803 a00006 ee ebc5")
MAGIC_BYTES, HEADER = 8, 20
PAGES, ZEROS, ROUND, DISK, STATE, END, COMMIT, ABORT = range(1, 9)
READY, STARTED, REFUSED = 64, 65, 66


def write_rom(path, program):
    rom = bytearray(b"\xf4" * 65536)
    rom[:len(program)] = program
    rom[-16:-11] = bytes([0xEA, 0, 0, 0, 0xF0])
    with open(path, "wb") as file:
        file.write(rom)


class Machine:
    """A process with a QMP socket, and its serial port in a file."""
    number = 0

    def __init__(self, folder, *options, program=COUNTER, memory=16, pass_fds=()):
        Machine.number += 1
        self.serial_path = os.path.join(folder, f"serial{Machine.number}")
        socket_path = os.path.join(folder, f"qmp{Machine.number}")
        rom = os.path.join(folder, f"rom{len(program)}")
        if not os.path.exists(rom):
            write_rom(rom, program)
        command = [PROGRAM, "-nodefaults", "-display", "none", "-m", str(memory), "-bios", rom, "-serial", f"file:{self.serial_path}",
                   "-qmp", f"unix:{socket_path},server=on,wait=off", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        pass_fds=pass_fds)
        try:
            self.qmp = Qmp(socket_path)
        except OSError as error:
            self.process.kill()
            raise AssertionError("no QMP: " + self.process.communicate()[1]) from error
        self.qmp.learn_schema()
        self.qmp.call("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def serial(self):
        with open(self.serial_path, "rb") as file:
            return file.read()

    def wait_output(self, count=2):
        there = len(self.serial()) + count
        wait_for(lambda: len(self.serial()) >= there, "output")

    def state(self):
        """"dead" where the process has gone."""
        try:
            return self.qmp.call("query-status")["status"]
        except OSError:
            self.process.wait(PATIENCE)
            return "dead"

    def runs(self):
        return self.state() == "running"

    def hash(self):
        return self.qmp.call("human-monitor-command", command__line="info hash")

    def migration(self):
        return self.qmp.call("query-migrate")

    def wait_migration(self, *wanted):
        wait_for(lambda: self.migration()["status"] in (*wanted, "failed", "completed", "cancelled"), "the migration's end")
        info = self.migration()
        assert info["status"] in wanted, info
        return info

    def bound(self, **parameters):
        self.qmp.call("migrate-set-parameters", **parameters)

    def ended(self):
        """What it said when it ended, with an error."""
        assert self.process.wait(PATIENCE) == 1, self.process.returncode
        return self.process.communicate()[1]


def consecutive(*outputs):
    together = b"".join(outputs)
    for i in range(1, len(together)):
        assert together[i] == (together[i - 1] + 1) % 256, [output.hex() for output in outputs]


def arrive(source, target):
    """The source has gone, and the target goes on where it was."""
    info = source.wait_migration("completed")
    assert source.state() == "postmigrate" and target.qmp.call("query-migrate")["status"] in ("active", "completed")
    wait_for(target.runs, "the target to run")
    target.wait_output()
    consecutive(source.serial(), target.serial())
    return info


def check_sockets():
    """tcp: and unix:, the machine running; events, and figures."""
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        for address in (f"tcp:127.0.0.1:{port}", f"unix:{folder}/channel", f"tcp::{port}"):
            with machine:
                target = Machine(folder, "-incoming", address)
                assert target.state() == "inmigrate"
                machine.wait_output()
                machine.qmp.events.clear()
                machine.qmp.call("migrate", uri=address)
                info = arrive(machine, target)
                assert info["downtime"] < 1000 * PATIENCE and info["ram"]["remaining"] == 0 and info["ram"]["dirty-sync-count"] > 0, info
                assert info["ram"]["duplicate"] > 1000 and info["ram"]["normal"] >= 128, info
                names = [event["event"] for event in machine.qmp.events]
                assert "STOP" in names and "MIGRATION_PASS" in names and "RESUME" not in names, names
                machine.qmp.fails("migrate", uri="carrier-pigeon:home")
                assert not os.path.exists(f"{folder}/channel")
            machine = target
        with machine:
            pass


def check_hash():
    """All of the state arrives, in a guest that runs and under icount; a machine that stands still stays so."""
    with tempfile.TemporaryDirectory() as folder:
        for options, stopped in (([], False), (["-icount", "shift=3"], False), ([], True)):
            address = f"unix:{folder}/channel"
            with Machine(folder, *options) as source, Machine(folder, *options, "-incoming", address, *([] if stopped else ["-S"])) as target:
                source.wait_output()
                if stopped:
                    source.qmp.call("stop")
                source.qmp.call("migrate", uri=address)
                source.wait_migration("completed")
                wait_for(lambda: target.state() == "paused", "the target")
                assert source.hash() == target.hash(), (options, stopped)
                target.qmp.call("cont")
                target.wait_output()
                consecutive(source.serial(), target.serial())


def check_descriptors():
    """fd: of a socket (both ways), exec: through a pipe (one way), and -incoming defer."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = socket.socketpair()
        with Machine(folder) as source, Machine(folder, "-incoming", f"fd:{there.fileno()}", pass_fds=(there.fileno(),)) as target:
            source.qmp.call("getfd", descriptor=here.fileno(), fdname="channel")
            here.close()
            there.close()
            source.wait_output()
            source.qmp.call("migrate", uri="fd:channel")
            arrive(source, target)
        pipe = os.path.join(folder, "pipe")
        os.mkfifo(pipe)
        with Machine(folder) as source, Machine(folder, "-incoming", "defer") as target:
            target.qmp.call("human-monitor-command", command__line=f'migrate_incoming "exec:cat {pipe}"')
            source.wait_output()
            source.qmp.call("human-monitor-command", command__line=f'migrate -d "exec:cat > {pipe}"')
            arrive(source, target)
            text = source.qmp.call("human-monitor-command", command__line="info migrate")
            assert "Migration status: completed" in text and "downtime: " in text, text


def check_parameters():
    with tempfile.TemporaryDirectory() as folder, Machine(folder) as machine:
        def monitor(line):
            return machine.qmp.call("human-monitor-command", command__line=line)
        assert monitor("migrate_set_parameter max-bandwidth 3") == "" and monitor("migrate_set_parameter downtime-limit 70") == ""
        assert monitor("migrate_set_capability auto-converge on") == ""
        parameters = machine.qmp.call("query-migrate-parameters")
        assert parameters["max-bandwidth"] == 3 << 20 and parameters["downtime-limit"] == 70, parameters
        assert {"capability": "auto-converge", "state": True} in machine.qmp.call("query-migrate-capabilities")
        assert "cpu-throttle-initial: 20" in monitor("info migrate_parameters") and monitor("info migrate_capabilities").split() == ["auto-converge:", "on", "return-path:", "on"]
        for line in ("migrate_set_parameter max-bandwidth", "migrate_set_parameter max-cpu-throttle 100", "migrate_set_parameter speed 3",
                     "migrate_set_capability xbzrle on", "migrate", "migrate_incoming unix:x", "migrate_set_parameter max-bandwidth 9999999T"):
            assert monitor(line) != "", line
        machine.qmp.fails("migrate-set-parameters", downtime__limit=-1)
        assert machine.qmp.call("query-migrate") == {}


def check_cancelled():
    """Within the rounds: the source goes on, and the target says why it does not."""
    with tempfile.TemporaryDirectory() as folder:
        with Machine(folder) as source, Machine(folder, "-incoming", f"unix:{folder}/channel") as target:
            source.bound(max__bandwidth=200000)
            source.qmp.call("migrate", uri=f"unix:{folder}/channel")
            source.wait_output()
            assert source.migration()["status"] == "active"
            source.qmp.call("migrate_cancel")
            source.wait_migration("cancelled")
            source.wait_output()
            consecutive(source.serial())
            assert "-incoming" in target.ended() and target.serial() == b""
            source.bound(max__bandwidth=1 << 30)
            with Machine(folder, "-incoming", f"unix:{folder}/channel") as other:
                source.qmp.call("migrate", uri=f"unix:{folder}/channel")
                arrive(source, other)


def check_refused():
    """Other machines, nobody there, and what is no machine at all."""
    with tempfile.TemporaryDirectory() as folder, Machine(folder) as source:
        with Machine(folder, "-incoming", f"unix:{folder}/channel", memory=32) as target:
            source.qmp.call("migrate", uri=f"unix:{folder}/channel")
            info = source.wait_migration("failed")
            assert "memory RAM" in info["error-desc"] and "memory RAM" in target.ended(), info
        for address in (f"unix:{folder}/nobody", "tcp:127.0.0.1:1", "tcp:nonsense"):
            source.qmp.call("migrate", uri=address)
            assert source.wait_migration("failed")["error-desc"] != ""
        assert source.runs()
        for bytes_ in (b"RPRMIGRX" + bytes(100), b"RPRMIGRA" + struct.pack("<III", 1, 0, 1 << 30), b"", b"RPRMIGRA" + struct.pack("<III", 9, 0, 0)):
            with Machine(folder, "-incoming", f"unix:{folder}/channel") as target, socket.socket(socket.AF_UNIX) as client:
                client.connect(f"{folder}/channel")
                client.sendall(bytes_)
                client.shutdown(socket.SHUT_WR)
                assert "-incoming: " in target.ended()
        assert b"" == subprocess.run([PROGRAM, "-incoming", "carrier-pigeon:home"], capture_output=True, check=False).stdout


# ---- Disks ----

def make_disk(path, megabytes=4):
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)
    return path


def written(path):
    """What the guest wrote last."""
    with open(path, "rb") as file:
        file.seek(512)
        return struct.unpack("<H", file.read(2))[0]


def is_near(count, serial):
    """A guest that ends anywhere has told of its last write, or not yet, or the disk has not done it yet."""
    return (count - serial[-1]) % 256 in (255, 0, 1)


def check_shared_disk():
    """The image goes with the machine: who is not the machine can neither write nor continue."""
    for extension in ("raw", "qcow2"):
        with tempfile.TemporaryDirectory() as folder:
            image = os.path.join(folder, "disk")
            subprocess.run([PROGRAM, "image", "create", "-f", extension, image, "4M"], check=True, stdout=subprocess.DEVNULL)
            drive = ["-drive", f"file={image},format={extension},if=ide"]
            address = f"unix:{folder}/channel"
            with Machine(folder, *drive, program=WRITER) as source, Machine(folder, *drive, "-incoming", address, program=WRITER) as target:
                source.wait_output(100)
                source.qmp.call("migrate", uri=address)
                arrive(source, target)
                target.wait_output(100)
                assert "in use" in source.qmp.fails("cont")
                assert source.state() == "postmigrate"
                target.qmp.call("quit")
                target.process.wait(PATIENCE)
                source.qmp.call("cont")
                source.wait_output(100)
                source.qmp.call("quit")
                source.process.wait(PATIENCE)
            check = subprocess.run([PROGRAM, "image", "check", "-f", extension, image], capture_output=True, text=True, check=False)
            assert extension == "raw" or check.returncode == 0, check


def check_disk_stays():
    """A target that fails at the last moment: the source gets its image back, and writes on."""
    with tempfile.TemporaryDirectory() as folder:
        image = make_disk(os.path.join(folder, "disk"))
        drive = ["-drive", f"file={image},format=raw,if=ide"]
        with Machine(folder, *drive, program=WRITER) as source, \
                Machine(folder, *drive, "-incoming", f"unix:{folder}/there", program=WRITER) as target:
            source.wait_output(100)
            Proxy(folder, on={(COMMIT, "before"): target.process.kill})
            source.qmp.call("migrate", uri=f"unix:{folder}/here")
            source.wait_migration("failed")
            before = written(image)
            source.wait_output(100)
            assert written(image) != before
            consecutive(source.serial())
            assert subprocess.run([PROGRAM, "image", "check", image], capture_output=True, check=False).returncode != 0, "the lock"


def check_copied_disk():
    """Disks that go along (-b), written all the time; and writes that are only in the process (snapshot=on)."""
    for more in ("", ",snapshot=on"):
        with tempfile.TemporaryDirectory() as folder:
            images = [make_disk(os.path.join(folder, name)) for name in ("one", "two")]
            with open(images[0], "r+b") as file:
                file.seek(3 << 20)
                file.write(b"far away" * 1000)
            with open(images[1], "r+b") as file:
                file.write(b"old" * 100000)
            drives = [["-drive", f"file={image},format=raw,if=ide{more}"] for image in images]
            address = f"unix:{folder}/channel"
            with Machine(folder, *drives[0], program=WRITER) as source, \
                    Machine(folder, *drives[1], "-incoming", address, program=WRITER) as target:
                source.wait_output(50)
                if more:
                    source.qmp.call("migrate", uri="exec:cat >/dev/null")
                    assert "keeps what is written" in source.wait_migration("failed")["error-desc"]
                source.qmp.call("migrate", uri=address, blk=True)
                info = arrive(source, target)
                assert info["disk"]["remaining"] == 0 and info["disk"]["transferred"] >= 4 << 20, info
                target.wait_output(50)
                target.qmp.call("quit")
                target.process.wait(PATIENCE)
                if not more:
                    for image, machine in zip(images, (source, target)):
                        assert is_near(written(image), machine.serial()), (image, written(image), machine.serial()[-1])
                    with open(images[0], "rb") as one, open(images[1], "rb") as two:
                        one.seek(1024)
                        two.seek(1024)
                        assert one.read() == two.read(), "the images differ"
    with tempfile.TemporaryDirectory() as folder:
        drives = [["-drive", f"file={make_disk(os.path.join(folder, name), size)},format=raw,if=ide"] for name, size in (("one", 4), ("two", 2))]
        with Machine(folder, *drives[0]) as source, Machine(folder, *drives[1], "-incoming", f"unix:{folder}/channel"):
            source.qmp.call("migrate", uri=f"unix:{folder}/channel", blk=True)
            assert "a disk of 4194304 bytes there" in source.wait_migration("failed")["error-desc"]
            assert source.runs()


# ---- Who is the machine ----

class Proxy:
    """Passes a migration on, from FOLDER/here to FOLDER/there, and does something before or after given records."""

    def __init__(self, folder, on):
        self.on, self.seen = on, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(folder, "here"))
        self.listener.listen(1)
        self.there = os.path.join(folder, "there")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        source, _ = self.listener.accept()
        target = socket.socket(socket.AF_UNIX)
        target.connect(self.there)
        self.waiting = {source: b"", target: b""}
        self.header = True
        other = {source: target, target: source}
        try:
            while True:
                for end in select.select([source, target], [], [])[0]:
                    data = end.recv(1 << 20)
                    if not data:
                        return
                    self.waiting[end] += data
                    while self.pass_one(end, other[end], end is source):
                        pass
        except OSError:
            pass
        finally:
            source.close()
            target.close()

    def pass_one(self, end, other, is_source):
        data = self.waiting[end]
        if is_source and self.header:
            size = HEADER + struct.unpack_from("<I", data, 16)[0] if len(data) >= HEADER else 1 << 30
        else:
            size = 8 + struct.unpack_from("<I", data, 4)[0] if len(data) >= 8 else 1 << 30
        if len(data) < size:
            return False
        kind = 0 if is_source and self.header else struct.unpack_from("<I", data)[0]
        self.header = self.header and not is_source
        self.act(kind, "before")
        other.sendall(data[:size])
        self.waiting[end] = data[size:]
        self.act(kind, "after")
        return True

    def act(self, kind, when):
        self.seen.append((kind, when))
        action = self.on.pop((kind, when), None)
        if action:
            action()


def who_runs(source, target):
    """Waits until one of the two is the machine, or both have gone."""
    start = time.time()

    def settled():
        running = [machine for machine in (source, target) if machine.runs()]
        assert len(running) < 2, "both run"
        gone = all(machine.state() in ("dead", "postmigrate") for machine in (source, target))
        if source.state() == "dead" and target.state() == "inmigrate" and time.time() > start + 30:
            target.process.kill()  # the source had not come so far as to connect
        return running or gone
    try:
        wait_for(settled, "one to run")
    except AssertionError as error:
        states = [(machine.state(), machine.state() != "dead" and machine.migration()) for machine in (source, target)]
        raise AssertionError(f"nothing is settled: {states}") from error
    time.sleep(0.05)
    running = [machine for machine in (source, target) if machine.runs()]
    assert len(running) < 2, "both run"
    return running[0] if running else None


STEPS = [(END, "before"), (END, "after"), (READY, "before"), (READY, "after"), (COMMIT, "before"), (COMMIT, "after"), (STARTED, "before"),
         (STARTED, "after")]


def check_killed_at_each_step():
    with tempfile.TemporaryDirectory() as top:
        for step in STEPS:
            for victim in ("source", "target"):
                folder = tempfile.mkdtemp(dir=top)
                image = make_disk(os.path.join(folder, "disk"))
                drive = ["-drive", f"file={image},format=raw,if=ide"]
                with Machine(folder, *drive) as source, Machine(folder, *drive, "-incoming", f"unix:{folder}/there") as target:
                    machines = {"source": source, "target": target}
                    proxy = Proxy(folder, on={step: machines[victim].process.kill})
                    source.wait_output()
                    source.qmp.call("migrate", uri=f"unix:{folder}/here")
                    wait_for(lambda: machines[victim].process.poll() is not None, "the kill")
                    running = who_runs(source, target)
                    place = f"{victim} killed {step}"
                    if victim == "source":
                        assert running is target or step == (END, "before"), place
                    else:
                        # One that may have started was the machine, and died.
                        assert running is source or (step in STEPS[5:] and (STARTED, "before") in proxy.seen), place
                    if running:
                        running.wait_output()
                    consecutive(source.serial(), target.serial())


def stop(process):
    """Returns when none of its threads runs any more, which SIGSTOP alone does not wait for."""
    process.send_signal(signal.SIGSTOP)
    tasks = f"/proc/{process.pid}/task"

    def state(task):
        with open(f"{tasks}/{task}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    wait_for(lambda: all(state(task) == "T" for task in os.listdir(tasks)), "the target's halt")


def check_lost_words():
    """A target that hangs: a cancelled hand-over is taken back, and the target does not start when it wakes up."""
    with tempfile.TemporaryDirectory() as folder:
        with Machine(folder) as source, Machine(folder, "-incoming", f"unix:{folder}/there") as target:
            Proxy(folder, on={(END, "before"): lambda: stop(target.process)})
            source.qmp.call("migrate", uri=f"unix:{folder}/here")
            wait_for(lambda: source.state() == "finish-migrate", "the hand-over")
            source.qmp.fails("cont")
            time.sleep(0.1)
            source.qmp.call("migrate_cancel")
            source.wait_migration("cancelled")
            assert source.runs()
            target.process.send_signal(signal.SIGCONT)
            assert "goes on where it came from" in target.ended()
            source.wait_output()
            consecutive(source.serial(), target.serial())


def check_killed_at_random():
    """Whenever either is killed: never two that run, and none only if the one that was the machine was killed."""
    rng = random.Random(int(os.environ.get("REPRISE_SEED", "1")))
    outcomes = {}
    with tempfile.TemporaryDirectory() as top:
        for _ in range(KILLS):
            folder = tempfile.mkdtemp(dir=top)
            image = make_disk(os.path.join(folder, "disk"))
            drive = ["-drive", f"file={image},format=raw,if=ide"]
            with Machine(folder, *drive) as source, Machine(folder, *drive, "-incoming", f"unix:{folder}/channel") as target:
                victim, delay = rng.choice([source, target]), rng.random() * 0.2
                source.bound(max__bandwidth=8 << 20)
                source.wait_output(1)
                source.qmp.call("migrate", uri=f"unix:{folder}/channel")
                time.sleep(delay)
                victim.process.kill()
                victim.process.wait()
                running = who_runs(source, target)
                if victim is target:
                    assert running is source or source.migration()["status"] == "completed"
                else:
                    assert running is target or target.process.poll() in (1, -signal.SIGKILL)
                if running:
                    running.wait_output(1)
                consecutive(source.serial(), target.serial())
                name = f"{'source' if victim is source else 'target'} killed, {'none' if not running else 'source' if running is source else 'target'} runs"
                outcomes[name] = outcomes.get(name, 0) + 1
    print(f"      {outcomes}")


def main():
    quits = '{"execute":"qmp_capabilities"}{"execute":"quit"}'
    if "made without json-c" in subprocess.run([PROGRAM, "-machine", "none", "-qmp", "stdio"], input=quits, capture_output=True, text=True,
                                               timeout=PATIENCE, check=False).stderr:
        skip("built without json-c")
    return run_checks([check_sockets, check_hash, check_descriptors, check_parameters, check_cancelled, check_refused, check_shared_disk,
                       check_disk_stays, check_copied_disk, check_killed_at_each_step, check_lost_words, check_killed_at_random])


if __name__ == "__main__":
    sys.exit(main())
