#!/usr/bin/env python3
"""Disks of an NBD server, against qemu-nbd: made into images and from them, written by a guest, write-protected, and with a
server that is not there, dies or says nothing.

    nbd_disk.py PROGRAM
"""
import functools
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from emulator import PATIENCE, need_firmware, run_checks, skip

PROGRAM = os.path.abspath(sys.argv[1])
SERVER = shutil.which("qemu-nbd")
SIZE = 3 << 20

# Writes a sector, then reads it until that fails; the exit status tells which of both did.
GUEST = """
bits 16
org 0x7c00
    xor ax, ax
    mov es, ax
    mov bx, 0x8000
    mov di, bx
    mov cx, 256
    mov ax, 0x5a5a
    rep stosw
    mov al, 3
    push ax
    mov ax, 0x0301
    call transfer
    pop ax
    jc quit
again:
    mov ax, 0x0201
    call transfer
    jnc again
    mov al, 7
quit:
    mov dx, 0x501
    out dx, al
    hlt
transfer:
    mov cx, 2
    mov dx, 0x80
    int 0x13
    ret
times 510 - ($ - $$) db 0
dw 0xaa55
"""


class Server:
    """qemu-nbd with an image, killed at the end whatever happened."""

    def __init__(self, folder, image, *words):
        self.path = os.path.join(folder, "socket")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen([SERVER, "-t", "-e", "4", "-f", "raw", "-k", self.path, *words, image],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.time() + PATIENCE
        while not os.path.exists(self.path):
            assert self.process.poll() is None and time.time() < deadline, "qemu-nbd does not start"
            time.sleep(0.02)
        self.name = "nbd:unix:" + self.path

    def __enter__(self):
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_):
        self.kill()
        self.process.stderr.close()


def run(*words, timeout=PATIENCE):
    return subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                          check=False)


def good(*words):
    result = run("image", *words)
    assert result.returncode == 0 and result.stderr == "", f"{words}: {result}"
    return result.stdout


def refused(words, part, status=1):
    """One line, which holds 'part'."""
    result = run(*words)
    lines = result.stderr.splitlines()
    assert result.returncode == status and len(lines) == 1 and part in lines[0], f"{words}: no {part!r} in {result}"


def make(path, content=b""):
    with open(path, "wb") as file:
        file.write(content)
        file.truncate(SIZE)
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


def some_bytes():
    return random.Random(5).randbytes(70000) + bytes(200000) + random.Random(6).randbytes(1 << 20)


def check_images(folder):
    image = make(os.path.join(folder, "served.img"), some_bytes())
    with Server(folder, image, "-x", "a disk") as server:
        uri = f"nbd+unix:///a%20disk?socket={server.path}"
        name = server.name + ":exportname=a disk"
        assert f"({SIZE} bytes)" in good("info", name)
        for source in (name, uri):
            qcow2 = os.path.join(folder, "copy.qcow2")
            good("convert", "-O", "qcow2", source, qcow2)
            assert "identical" in good("compare", source, qcow2)
            good("convert", "-O", "raw", qcow2, qcow2 + ".raw")
            assert content(qcow2 + ".raw") == content(image)
        refused(["image", "info", server.name + ":exportname=other"], "cannot be reached")
        refused(["image", "info", "-f", "qcow2", name], "read as raw")


def check_written(folder):
    """Over what was there, zeros too, and to the last byte."""
    source = make(os.path.join(folder, "source.img"), some_bytes())
    with open(source, "r+b") as file:
        file.seek(SIZE - 3)
        file.write(b"end")
    for words in ([], ["-n"]):
        image = make(os.path.join(folder, "served.img"), b"\xee" * SIZE)
        with Server(folder, image) as server:
            good("convert", "-O", "raw", *words, source, server.name)
            assert "identical" in good("compare", source, server.name)
        assert content(image) == content(source)
    with open(source, "ab") as file:
        file.write(bytes(512))
    with Server(folder, image) as server:
        refused(["image", "convert", "-O", "raw", source, server.name], "cannot be made")
        refused(["image", "convert", "-O", "qcow2", source, server.name], "written as raw")


def check_tcp(folder):
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    image = make(os.path.join(folder, "served.img"), some_bytes())
    server = subprocess.Popen([SERVER, "-t", "-f", "raw", "-b", "127.0.0.1", "-p", str(port), image],
                              stdin=subprocess.DEVNULL)
    try:
        deadline = time.time() + PATIENCE
        while run("image", "info", f"nbd:127.0.0.1:{port}").returncode != 0:
            assert server.poll() is None and time.time() < deadline, "qemu-nbd does not answer"
            time.sleep(0.05)
        copy = make(os.path.join(folder, "copy.img"), some_bytes())
        for name in (f"nbd:127.0.0.1:{port}", f"nbd://127.0.0.1:{port}", f"nbd://127.0.0.1:{port}/"):
            assert "identical" in good("compare", name, copy)
    finally:
        server.kill()
        server.wait()


def check_read_only(folder):
    image = make(os.path.join(folder, "served.img"), some_bytes())
    other = make(os.path.join(folder, "other.img"))
    with Server(folder, image, "-r") as server:
        assert "identical" in good("compare", server.name, image)
        refused(["image", "convert", "-n", "-O", "raw", other, server.name], "write-protected by its server")
        refused(["-display", "none", "-hda", server.name], "write-protected by its server")
    assert content(image) == some_bytes().ljust(SIZE, b"\0")


def check_absent(folder):
    missing = "nbd:unix:" + os.path.join(folder, "nobody")
    refused(["image", "info", missing], "cannot be reached")
    refused(["-display", "none", "-hda", missing], "cannot be reached")
    refused(["image", "info", "nbd:nowhere"], "names no export")
    with socket.socket(socket.AF_UNIX) as silent:
        path = os.path.join(folder, "silent")
        silent.bind(path)
        silent.listen()
        started = time.time()
        refused(["image", "info", "nbd:unix:" + path], "does not answer")
        assert 8 < time.time() - started < PATIENCE


def boot_image(folder):
    source = os.path.join(folder, "guest.asm")
    with open(source, "w", encoding="ascii") as file:
        file.write(GUEST)
    sector = os.path.join(folder, "guest.bin")
    subprocess.run(["nasm", "-f", "bin", "-o", sector, source], check=True)
    return make(os.path.join(folder, "boot.img"), content(sector))


def run_guest(folder, drive):
    """The exit status of the guest, whose server dies when the guest's sector has arrived."""
    image = boot_image(folder)
    with Server(folder, image) as server:
        process = subprocess.Popen([PROGRAM, "-display", "none", "-device", "isa-debug-exit,iobase=0x501,iosize=1",
                                    *drive(server)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.time() + PATIENCE
            while content(image)[512:1024] != b"\x5a" * 512:
                assert process.poll() is None and time.time() < deadline, f"no sector came: {process.poll()}"
                time.sleep(0.05)
            time.sleep(0.2)
            assert process.poll() is None
            server.kill()
            process.wait(PATIENCE)
            return process.returncode
        finally:
            process.kill()
            process.communicate()


def check_server_dies(folder):
    """The guest gets errors, and goes on."""
    need_firmware()
    assert run_guest(folder, lambda server: ["-hda", server.name]) == 15
    assert run_guest(folder, lambda server: ["-drive", f"driver=nbd,server.type=unix,server.path={server.path}"]) == 15


def check_server_comes_back(folder):
    """Requests wait for it as long as they are told to, and no longer."""
    need_firmware()
    image = boot_image(folder)
    with Server(folder, image) as server:
        drive = f"driver=nbd,server.type=unix,server.path={server.path},reconnect-delay="
        refused(["-display", "none", "-drive", drive + "soon"], "names no export")
        process = subprocess.Popen([PROGRAM, "-display", "none", "-device", "isa-debug-exit,iobase=0x501,iosize=1", "-drive", drive + "15"],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.time() + PATIENCE
            while content(image)[512:1024] != b"\x5a" * 512:
                assert process.poll() is None and time.time() < deadline, f"no sector came: {process.poll()}"
                time.sleep(0.05)
            for _ in range(2):
                server.kill()
                time.sleep(0.7)
                assert process.poll() is None
                with Server(folder, image) as server:
                    time.sleep(0.7)
                    assert process.poll() is None
            started = time.time()
            assert process.wait(PATIENCE) == 15 and 8 < time.time() - started < PATIENCE
        finally:
            process.kill()
            process.communicate()


def in_own_folder(check):
    @functools.wraps(check)
    def wrapped():
        with tempfile.TemporaryDirectory() as folder:
            check(folder)
    return wrapped


CHECKS = [check_images, check_written, check_tcp, check_read_only, check_absent, check_server_dies, check_server_comes_back]


def main():
    if SERVER is None:
        skip("no qemu-nbd (package qemu-utils)")
    if "without libnbd" in run("image", "info", "nbd:unix:/nowhere").stderr:
        skip("built without libnbd")
    return run_checks([in_own_folder(check) for check in CHECKS])


sys.exit(main())
