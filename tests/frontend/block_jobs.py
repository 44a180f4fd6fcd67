#!/usr/bin/env python3
"""Jobs that copy disks while a guest writes to them: backups, mirrors that take the disk's place, commits and streams of chains;
increments by dirty bitmaps; cancelled, paused, slowed down and failed ones; afterwards the images hold what they must, as QEMU's and our own tools see them."""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from emulator import PATIENCE, run_checks, skip, wait_for
from migration import WRITER, Machine, is_near
from qmp_client import QmpError

PROGRAM = sys.argv[1]
MEGABYTES = 8
JOB_EVENTS = ["created", "running", "ready", "waiting", "pending", "concluded", "null"]


def tool(*words):
    run = subprocess.run([PROGRAM, "image", *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, (words, run)
    return run.stdout


def contents(path, image_format):
    """All bytes of an image, by a conversion to raw."""
    raw = path + ".raw"
    converter = ["qemu-img"] if shutil.which("qemu-img") else [PROGRAM, "image"]
    subprocess.run([*converter, "convert", "-U", "-f", image_format, "-O", "raw", path, raw], check=True)
    with open(raw, "rb") as file:
        data = file.read()
    os.unlink(raw)
    return data


def sector(data):
    """What the guest wrote: the counter, and that it fills its sector."""
    return struct.unpack_from("<H", data, 512)[0]


def fill(path, image_format, seed=1):
    """A disk with blocks here and there, made by our tool."""
    rng = random.Random(seed)
    raw = path + ".source"
    with open(raw, "wb") as file:
        file.truncate(MEGABYTES << 20)
        for _ in range(20):
            file.seek(rng.randrange(2048, (MEGABYTES << 20) - 70000))
            file.write(rng.randbytes(rng.randrange(1, 70000)))
    tool("convert", "-f", "raw", "-O", image_format, raw, path)
    os.unlink(raw)


class Disk:
    """A machine whose guest writes sector 1 of a disk all the time."""

    def __init__(self, folder, image_format, *more):
        self.path = os.path.join(folder, "disk")
        fill(self.path, image_format)
        self.machine = Machine(folder, "-blockdev", f"driver=file,node-name=storage0,filename={self.path}", "-blockdev",
                               f"driver={image_format},node-name=disk0,file=storage0", "-device", "ide-hd,bus=ide.0,drive=disk0,id=hd0", *more,
                               program=WRITER)
        self.qmp = self.machine.qmp
        self.machine.wait_output(20)

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.machine.__exit__(*arguments)

    def job(self, name="job"):
        return next((job for job in self.qmp.call("query-block-jobs") if job["device"] == name), None)

    def wait_ready(self, name="job"):
        wait_for(lambda: (job := self.job(name)) is None or job["ready"], "the job to be ready")
        assert self.job(name) is not None, self.qmp.events

    def wait_end(self, name="job"):
        """The job's states from the first to the last."""
        wait_for(lambda: (job := self.job(name)) is None or job["status"] == "concluded", "the job's end")
        if self.job(name):
            (job,) = [job for job in self.qmp.call("query-jobs") if job["id"] == name]
            self.qmp.call("job-dismiss", id=name)
            assert "error" not in job, job
        states = [event["data"]["status"] for event in self.qmp.events
                  if event["event"] == "JOB_STATUS_CHANGE" and event["data"]["id"] == name]
        self.qmp.events.clear()
        return states

    def node(self):
        return self.qmp.call("query-block")[0]["inserted"]["node-name"]

    def quit(self):
        self.qmp.call("quit")
        assert self.machine.process.wait(PATIENCE) == 0


def add_target(disk, folder, image_format, name="target"):
    path = os.path.join(folder, name)
    tool("create", "-f", image_format, path, f"{MEGABYTES}M")
    disk.qmp.call("blockdev-add", driver="file", node__name=name + "-storage", filename=path)
    disk.qmp.call("blockdev-add", driver=image_format, node__name=name, file=name + "-storage", backing=None)
    return path


def check_backup():
    """What the disk held when the job began, however slowly it goes and whatever the guest writes meanwhile."""
    for image_format in ("qcow2", "raw"):
        with tempfile.TemporaryDirectory() as folder, Disk(folder, image_format) as disk:
            path = add_target(disk, folder, image_format)
            disk.qmp.call("stop")
            before = contents(disk.path, image_format) if image_format == "raw" else None
            disk.qmp.call("blockdev-backup", job__id="job", device="disk0", target="target", sync="full", speed=64 << 10, auto__dismiss=False)
            with_lock = disk.qmp.fails("blockdev-backup", job__id="other", device="hd0", target="target", sync="full")
            assert "another job" in with_lock, with_lock
            disk.qmp.call("cont")
            disk.machine.wait_output(100)
            assert disk.job()["status"] == "running" and disk.job()["len"] >= MEGABYTES << 20, disk.job()
            disk.qmp.call("block-job-set-speed", device="job", speed=0)
            assert disk.wait_end() == [state for state in JOB_EVENTS if state != "ready"]
            assert disk.node() == "disk0"
            file_path = os.path.join(folder, "file")
            disk.qmp.call("drive-backup", device="disk0", target=file_path, format="raw", sync="full", job__id="job")
            disk.wait_end()
            disk.quit()
            copy, now = contents(path, image_format), contents(disk.path, image_format)
            assert sector(copy) != sector(now) and copy[1024:] == now[1024:] == contents(file_path, "raw")[1024:]
            assert before is None or copy == before
            tool("check", "-f", image_format, path) if image_format == "qcow2" else None


def check_mirror():
    """The copy follows the disk, and takes its place; or stays as it was when that was told."""
    for image_format in ("qcow2", "raw"):
        with tempfile.TemporaryDirectory() as folder, Disk(folder, image_format) as disk:
            path = add_target(disk, folder, image_format)
            disk.qmp.call("blockdev-mirror", job__id="job", device="disk0", target="target", sync="full", auto__finalize=True,
                          auto__dismiss=False)
            disk.wait_ready()
            disk.machine.wait_output(50)
            disk.qmp.call("job-complete", id="job")
            assert disk.wait_end() == JOB_EVENTS
            assert disk.node() == "target"
            disk.qmp.call("blockdev-del", node__name="disk0")
            disk.qmp.call("blockdev-del", node__name="storage0")
            old = contents(disk.path, image_format)
            disk.machine.wait_output(50)
            copy_path = os.path.join(folder, "copy")
            disk.qmp.call("drive-mirror", device="hd0", target=copy_path, format="qcow2", sync="full", job__id="job")
            disk.wait_ready()
            disk.qmp.call("block-job-cancel", device="job")
            disk.wait_end()
            assert disk.node() == "target"
            disk.machine.wait_output(50)
            disk.quit()
            new, copy = contents(path, image_format), contents(copy_path, "qcow2")
            assert new[1024:] == old[1024:] == copy[1024:] and len({sector(new), sector(old), sector(copy)}) == 3
            tool("check", "-f", "qcow2", copy_path)


def make_chain(disk, folder, length=2):
    """Overlays over the disk, each with writes of its own."""
    paths = [disk.path]
    for number in range(1, length + 1):
        paths.append(os.path.join(folder, f"overlay{number}"))
        disk.qmp.call("blockdev-snapshot-sync", node__name=f"disk{number - 1}", snapshot__file=paths[-1], snapshot__node__name=f"disk{number}",
                      format="qcow2")
        disk.machine.wait_output(20)
    return paths


def check_active_commit():
    for image_format in ("qcow2", "raw"):
        with tempfile.TemporaryDirectory() as folder, Disk(folder, image_format) as disk:
            paths = make_chain(disk, folder)
            disk.qmp.call("block-commit", job__id="job", device="disk2", top__node="disk2", base__node="disk0", auto__dismiss=False)
            disk.wait_ready()
            disk.machine.wait_output(50)
            disk.qmp.call("block-job-complete", device="job")
            assert disk.wait_end() == JOB_EVENTS
            assert disk.node() == "disk0"
            for name in ("disk2", "disk1"):
                disk.qmp.call("blockdev-del", node__name=name)
            disk.machine.wait_output(50)
            disk.quit()
            assert is_near(sector(contents(paths[0], image_format)), disk.machine.serial())
            if image_format == "qcow2":
                tool("check", "-f", "qcow2", paths[0])


def check_commit_of_the_middle():
    with tempfile.TemporaryDirectory() as folder, Disk(folder, "qcow2") as disk:
        paths = make_chain(disk, folder)
        disk.qmp.fails("block-commit", job__id="job", device="disk2", top__node="disk0", base__node="disk1")
        disk.qmp.call("block-commit", job__id="job", device="disk2", top__node="disk1", base__node="disk0")
        assert "ready" not in disk.wait_end()
        disk.machine.wait_output(20)
        assert disk.node() == "disk2"
        disk.quit()
        assert f"backing file: {paths[0]}" in tool("info", paths[2])
        assert is_near(sector(contents(paths[2], "qcow2")), disk.machine.serial())


def check_stream():
    for base in ({}, {"base__node": "disk0"}):
        with tempfile.TemporaryDirectory() as folder, Disk(folder, "qcow2") as disk:
            paths = make_chain(disk, folder)
            whole = contents(paths[0], "qcow2")
            disk.qmp.call("block-stream", job__id="job", device="disk2", auto__dismiss=False, auto__finalize=False, **base)
            wait_for(lambda: disk.job()["status"] == "pending", "the job")
            disk.qmp.call("job-finalize", id="job")
            disk.wait_end()
            disk.machine.wait_output(20)
            disk.qmp.call("blockdev-del", node__name="disk1")
            disk.quit()
            os.unlink(paths[1])
            if not base:
                os.unlink(paths[0])
            told = tool("info", paths[2])
            assert ("backing file" in told) == bool(base), told
            now = contents(paths[2], "qcow2")
            assert now[1024:] == whole[1024:] and sector(now) != sector(whole)
            tool("check", "-f", "qcow2", paths[2])


def bitmaps(disk):
    return {bitmap["name"]: bitmap for bitmap in disk.qmp.call("query-block")[0]["inserted"].get("dirty-bitmaps", [])}


def add_increment(disk, folder, name, behind):
    """An image that is to hold what was changed since 'behind' was made."""
    path = os.path.join(folder, name)
    tool("create", "-f", "qcow2", "-b", behind, "-F", "qcow2", path, f"{MEGABYTES}M")
    return path


def check_increments():
    """A full backup and two of what changed since: each is the disk as it was then, and as large as what the guest wrote."""
    for image_format in ("qcow2", "raw"):
        with tempfile.TemporaryDirectory() as folder, Disk(folder, image_format) as disk:
            qmp, full = disk.qmp, add_target(disk, folder, "qcow2")
            qmp.call("transaction", actions=[
                {"type": "block-dirty-bitmap-add", "data": {"node": "disk0", "name": "since", "granularity": 65536}},
                {"type": "blockdev-backup", "data": {"job-id": "job", "device": "disk0", "target": "target", "sync": "full"}}])
            disk.wait_end()
            qmp.call("blockdev-del", node__name="target")
            qmp.call("blockdev-del", node__name="target-storage")
            disk.machine.wait_output(50)
            assert bitmaps(disk)["since"] == {"name": "since", "count": 65536, "granularity": 65536, "recording": True, "busy": False,
                                              "persistent": False}, bitmaps(disk)
            paths = [full]
            for number, words in enumerate(({"sync": "incremental"}, {"sync": "bitmap", "bitmap-mode": "on-success"})):
                paths.append(add_increment(disk, folder, f"part{number}", paths[-1]))
                qmp.call("stop")
                counters = sector(contents(disk.path, image_format)) if image_format == "raw" else None
                qmp.call("drive-backup", device="disk0", target=paths[-1], format="qcow2", mode="existing", bitmap="since", job__id="job",
                         **{key.replace("-", "__"): value for key, value in words.items()})
                disk.wait_end()
                assert bitmaps(disk)["since"]["count"] == 0
                qmp.call("cont")
                disk.machine.wait_output(50)
                assert counters is None or sector(contents(paths[-1], "qcow2")) == counters
            disk.quit()
            now, copies = contents(disk.path, image_format), [contents(path, "qcow2") for path in paths]
            assert len({sector(copy) for copy in copies + [now]}) == 4, "each is of another time"
            for copy in copies:
                assert copy[1024:] == now[1024:]
            for path in paths[1:]:
                assert os.path.getsize(path) < 600000 and tool("check", "-f", "qcow2", path)


def check_bitmaps():
    """Marks come and go as they are told to; a cancelled backup gives them back, a failing transaction takes all of it back."""
    with tempfile.TemporaryDirectory() as folder, Disk(folder, "qcow2") as disk:
        qmp = disk.qmp
        for name, more in (("a", {}), ("off", {"disabled": True}), ("fine", {"granularity": 512})):
            qmp.call("block-dirty-bitmap-add", node="disk0", name=name, **more)
        disk.machine.wait_output(30)
        assert [bitmaps(disk)[name]["count"] for name in ("a", "off", "fine")] == [65536, 0, 512], bitmaps(disk)
        qmp.call("stop")
        qmp.call("block-dirty-bitmap-merge", node="hd0", target="off", bitmaps=["fine", {"node": "disk0", "name": "a"}])
        assert bitmaps(disk)["off"]["count"] == 65536 and not bitmaps(disk)["off"]["recording"]
        qmp.call("block-dirty-bitmap-clear", node="disk0", name="a")
        qmp.call("block-dirty-bitmap-disable", node="disk0", name="fine")
        qmp.call("cont")
        disk.machine.wait_output(30)
        assert bitmaps(disk)["a"]["count"] == 65536 and not bitmaps(disk)["fine"]["recording"]
        full = add_target(disk, folder, "qcow2")
        # "never": they stay; cancelled: they are back, and busy meanwhile.
        qmp.call("blockdev-backup", job__id="job", device="disk0", target="target", sync="bitmap", bitmap="a", bitmap__mode="never")
        disk.wait_end()
        assert bitmaps(disk)["a"]["count"] == 65536
        qmp.call("stop")  # so that the guest's writes copy nothing first: the job is as slow as it is told to be
        qmp.call("blockdev-backup", job__id="job", device="disk0", target="target", sync="incremental", bitmap="a", speed=1)
        wait_for(lambda: disk.job()["offset"] > 0, "the first piece")
        assert bitmaps(disk)["a"]["busy"]
        assert "in use" in qmp.fails("block-dirty-bitmap-remove", node="disk0", name="a")
        qmp.call("block-job-cancel", device="job", force=True)
        disk.wait_end()
        assert bitmaps(disk)["a"]["count"] == 65536 and not bitmaps(disk)["a"]["busy"]
        qmp.call("cont")
        before = bitmaps(disk)
        message = qmp.fails("transaction", actions=[
            {"type": "block-dirty-bitmap-clear", "data": {"node": "disk0", "name": "off"}},
            {"type": "block-dirty-bitmap-enable", "data": {"node": "disk0", "name": "fine"}},
            {"type": "block-dirty-bitmap-add", "data": {"node": "disk0", "name": "new"}},
            {"type": "blockdev-backup", "data": {"job-id": "job", "device": "disk0", "target": "target", "sync": "full", "speed": 1 << 20}},
            {"type": "abort", "data": {}}])
        assert "aborted" in message, message
        wait_for(lambda: disk.job() is None, "the job's end")
        after = bitmaps(disk)
        assert "new" not in after and after["off"] == before["off"] and not after["fine"]["recording"], (before, after)
        overlay = os.path.join(folder, "over")
        qmp.call("transaction", actions=[
            {"type": "blockdev-snapshot-sync", "data": {"node-name": "disk0", "snapshot-file": overlay, "snapshot-node-name": "over"}},
            {"type": "block-dirty-bitmap-remove", "data": {"node": "disk0", "name": "off"}}])
        assert disk.node() == "over" and bitmaps(disk) == {}
        for command, arguments in (
                ("add", {"node": "disk0", "name": "a"}), ("add", {"node": "disk0", "name": ""}), ("add", {"node": "nobody", "name": "a"}),
                ("add", {"node": "disk0", "name": "b", "granularity": 1000}), ("add", {"node": "disk0", "name": "b", "persistent": True}),
                ("remove", {"node": "disk0", "name": "b"}), ("clear", {"node": "disk0", "name": "off"}),
                ("merge", {"node": "disk0", "target": "a", "bitmaps": [7]}), ("merge", {"node": "disk0", "target": "b", "bitmaps": []})):
            qmp.fails("block-dirty-bitmap-" + command, **arguments)
        for words in ({"sync": "bitmap", "bitmap": "a"}, {"sync": "incremental"}, {"sync": "incremental", "bitmap": "nobody"},
                      {"sync": "full", "bitmap": "a"}, {"sync": "incremental", "bitmap": "a", "bitmap__mode": "never"}):
            qmp.fails("blockdev-backup", job__id="bad", device="over", target="target", **words)
        qmp.fails("transaction", actions=[{"type": "block-dirty-bitmap-add", "data": {"node": "disk0"}}])
        qmp.fails("transaction", actions=[{"type": "nonsense", "data": {}}])
        assert full and qmp.call("query-jobs") == []
        disk.quit()


def check_told_otherwise():
    """Paused, cancelled, refused, and an end of the program in the middle."""
    with tempfile.TemporaryDirectory() as folder, Disk(folder, "raw") as disk:
        qmp = disk.qmp
        add_target(disk, folder, "raw")
        qmp.call("blockdev-mirror", job__id="job", device="disk0", target="target", sync="full", speed=1 << 20)
        qmp.call("job-pause", id="job")
        qmp.fails("block-job-pause", device="job")
        time.sleep(0.2)
        first = disk.job()
        assert first["paused"] and first["status"] == "paused", first
        time.sleep(0.2)
        assert disk.job()["offset"] == first["offset"]
        qmp.fails("job-complete", id="job")
        qmp.fails("block-job-dismiss", id="job")
        qmp.call("job-resume", id="job")
        qmp.fails("block-job-resume", device="job")
        qmp.call("job-cancel", id="job")
        assert "aborting" in disk.wait_end() and disk.node() == "disk0"
        for name in ("job-cancel", "job-pause", "job-resume", "job-complete", "job-finalize", "job-dismiss", "block-job-finalize"):
            qmp.fails(name, id="nobody")
        for name in ("block-job-cancel", "block-job-complete"):
            qmp.fails(name, "DeviceNotActive", device="nobody")
        qmp.fails("block-job-set-speed", "DeviceNotActive", device="nobody", speed=1)
        for command, arguments in (("blockdev-mirror", {"target": "nobody", "sync": "full"}), ("blockdev-mirror", {"target": "disk0", "sync": "full"}),
                                   ("drive-mirror", {"target": folder + "/no/file", "sync": "full"}),
                                   ("drive-backup", {"target": folder + "/x", "sync": "full", "format": "nonsense"}),
                                   ("drive-backup", {"target": folder + "/x", "sync": "none"}),
                                   ("block-commit", {}), ("block-stream", {"base__node": "target"}),
                                   ("blockdev-backup", {"target": "target", "sync": "full", "speed": -1})):
            qmp.fails(command, job__id="bad", device="disk0", **arguments)
        try:
            qmp.call("drive-backup", job__id="bad", device="nobody", target=folder + "/x", sync="full")
        except QmpError as error:
            assert error.error_class == "DeviceNotFound"
        assert qmp.call("query-block-jobs") == [] and qmp.call("query-jobs") == []
        qmp.call("blockdev-mirror", job__id="job", device="disk0", target="target", sync="full", speed=1 << 20)
        disk.quit()


def check_two_disks():
    """Jobs on two disks at once, of which one is a disk by -drive."""
    with tempfile.TemporaryDirectory() as folder:
        other = os.path.join(folder, "other")
        fill(other, "qcow2", 2)
        with Disk(folder, "qcow2", "-drive", f"file={other},format=qcow2,if=ide,index=2,id=second") as disk:
            targets = [os.path.join(folder, name) for name in ("one", "two")]
            for name, device, target in (("first", "disk0", targets[0]), ("second", "second", targets[1])):
                disk.qmp.call("drive-mirror", job__id=name, device=device, target=target, sync="full", node__name=name + "-copy")
            for name in ("first", "second"):
                disk.wait_ready(name)
                disk.qmp.call("block-job-complete", device=name)
                wait_for(lambda name=name: disk.job(name) is None, "the end of " + name)
            assert [block["inserted"]["node-name"] for block in disk.qmp.call("query-block")] == ["first-copy", "second-copy"]
            disk.machine.wait_output(20)
            disk.quit()
            assert contents(targets[1], "qcow2") == contents(other, "qcow2")
            assert contents(targets[0], "qcow2")[1024:] == contents(disk.path, "qcow2")[1024:]


def main():
    quits = '{"execute":"qmp_capabilities"}{"execute":"quit"}'
    if "made without json-c" in subprocess.run([PROGRAM, "-machine", "none", "-qmp", "stdio"], input=quits, capture_output=True, text=True,
                                               timeout=PATIENCE, check=False).stderr:
        skip("built without json-c")
    return run_checks([check_backup, check_mirror, check_active_commit, check_commit_of_the_middle, check_stream, check_increments, check_bitmaps,
                       check_told_otherwise, check_two_disks])


if __name__ == "__main__":
    sys.exit(main())
