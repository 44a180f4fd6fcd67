#!/usr/bin/env python3
"""Serial ports, debug console and debug exit on files, sockets, terminals: by a boot sector that echoes COM1."""
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time

from emulator import PATIENCE, Monitor, connect, expect, need_firmware, run_checks, wait_for

PROGRAM = os.path.abspath(sys.argv[1])


def boot_sector(code):
    """A floppy image of one sector, padded by the drive."""
    return (code + b"\0" * 510)[:510] + b"\x55\xaa"


# Sets COM1 to 9600 baud by the BIOS, sends 'A', writes 'D' to port E9h, echoes COM1 with bit 0 flipped; on 'q' writes 11h to port 501h.
#   mov ax,0E3h; mov dx,0; int 14h; mov dx,3F8h; mov al,'A'; out dx,al; mov al,'D'; out 0E9h,al
#   next: mov dx,3FDh; in al,dx; test al,1; jz next; mov dx,3F8h; in al,dx; cmp al,'q'; je leave; xor al,1; out dx,al; jmp next
#   leave: mov dx,501h; mov al,11h; out dx,al; hlt
ECHO = boot_sector(bytes.fromhex(
    "b8e300 ba0000 cd14 baf803 b041 ee b044 e6e9"
    "bafd03 ec a801 74f8 baf803 ec 3c71 7405 3401 ee ebeb"
    "ba0105 b011 ee f4".replace(" ", "")))


def start(folder, options, **streams):
    image = os.path.join(folder, "echo.img")
    with open(image, "wb") as file:
        file.write(ECHO)
    streams.setdefault("stdin", subprocess.DEVNULL)
    command = [PROGRAM, "-display", "none", "-m", "4", "-fda", image, "-boot", "a", "-device", "isa-debug-exit"]
    return subprocess.Popen(command + options, **streams)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def read_until(read, wanted, seconds=PATIENCE):
    data, deadline = b"", time.time() + seconds
    while wanted not in data:
        assert time.time() < deadline, f"waited in vain for {wanted!r} in {data!r}"
        data += read()
    return data


def serial_on_a_socket(folder):
    path = os.path.join(folder, "serial")
    process = start(folder, ["-serial", f"unix:{path},server"], stderr=subprocess.PIPE)  # waits for its client
    try:
        client = connect(path)
        read_until(lambda: client.recv(100), b"A")
        client.sendall(b"bdf" * 100)
        read_until(lambda: client.recv(1000), b"ceg" * 100)
        client.sendall(b"q")
        assert process.wait(PATIENCE) == (0x11 << 1 | 1)
        client.close()
        assert not os.path.exists(path)
    finally:
        end(process)


def files(folder):
    serial, debug = os.path.join(folder, "serial"), os.path.join(folder, "debug")
    process = start(folder, ["-serial", f"file:{serial}", "-debugcon", f"file:{debug}"])
    try:
        wait_for(lambda: os.path.exists(debug) and open(debug, "rb").read() == b"D", "the debug console's file")
        wait_for(lambda: open(serial, "rb").read() == b"A", "the serial port's file")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        end(process)


def standard_input_and_output(folder):
    process = start(folder, ["-serial", "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        os.set_blocking(process.stdout.fileno(), True)
        read_until(lambda: os.read(process.stdout.fileno(), 100), b"A")
        os.write(process.stdin.fileno(), b"b")
        read_until(lambda: os.read(process.stdout.fileno(), 100), b"c")
        os.write(process.stdin.fileno(), b"q")
        assert process.wait(PATIENCE) == 0x23
    finally:
        end(process)


def read_terminal(fd):
    assert select.select([fd], [], [], PATIENCE)[0], "the terminal is silent"
    return os.read(fd, 1000)


def shared_terminal_is_raw_and_restored(folder):
    """The guest gets Ctrl-C, Ctrl-A c reaches the monitor, Ctrl-A x ends; then the terminal is as before."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = start(folder, ["-serial", "mon:stdio"], stdin=slave, stdout=slave, stderr=slave)
    try:
        read_until(lambda: read_terminal(master), b"A")
        assert termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON | termios.ISIG) == 0
        os.write(master, b"b\x03")
        read_until(lambda: read_terminal(master), b"c\x02")
        os.write(master, b"\x01c")
        read_until(lambda: read_terminal(master), b"(reprise) ")
        os.write(master, b"info status\r")
        read_until(lambda: read_terminal(master), b"VM status: running")
        os.write(master, b"\x01h")
        read_until(lambda: read_terminal(master), b"C-a x")
        os.write(master, b"\x01x")
        assert process.wait(PATIENCE) == 0
        assert termios.tcgetattr(slave) == before
    finally:
        end(process)
        os.close(master)
        os.close(slave)


def nographic_shows_the_bios_on_the_terminal(folder):
    process = start(folder, ["-nographic"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        read_until(lambda: os.read(process.stdout.fileno(), 1000), b"1.")  # the BIOS's version
        os.write(process.stdin.fileno(), b"\x01x")
        assert process.wait(PATIENCE) == 0
    finally:
        end(process)


def pseudo_terminal(folder):
    process = start(folder, ["-serial", "pty"], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        expect(r"^char device redirected to /dev/pts/\d+ \(label serial0\)$", line.strip())
        fd = os.open(line.split()[4], os.O_RDWR | os.O_NOCTTY)
        mode = termios.tcgetattr(fd)
        mode[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(fd, termios.TCSANOW, mode)
        answer = b""
        while b"c" not in answer:  # what was sent before the guest was at its loop is lost
            os.write(fd, b"b")
            answer = os.read(fd, 1000) if select.select([fd], [], [], 1)[0] else b""
        os.write(fd, b"q")
        assert process.wait(PATIENCE) == 0x23
        os.close(fd)
    finally:
        end(process)


def telnet(folder):
    """The server says what it does; a client's commands are no input, and 255 twice is the byte itself."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = start(folder, ["-serial", f"telnet:127.0.0.1:{port},server"], stderr=subprocess.PIPE)
    try:
        process.stderr.readline()  # waits for its client
        client = socket.create_connection(("127.0.0.1", port))
        client.settimeout(PATIENCE)
        assert read_until(lambda: client.recv(100), b"A").startswith(bytes.fromhex("fffb01 fffb03 fffb00 fffd00"))
        client.sendall(bytes.fromhex("fffd01 fffd03 fffb18") + b"b" + bytes.fromhex("fffa18 00 78 fff0"))
        client.sendall(b"\xff")
        client.sendall(b"\xff" + bytes.fromhex("fff1") + b"d")
        read_until(lambda: client.recv(100), b"c\xfee")
        client.sendall(b"q")
        assert process.wait(PATIENCE) == 0x23
        client.close()
    finally:
        end(process)


def named_pipes(folder):
    path = os.path.join(folder, "pipe")
    os.mkfifo(path + ".in")
    os.mkfifo(path + ".out")
    for options in (["-serial", "pipe:" + path], ["-chardev", "pipe,id=p,path=" + path, "-serial", "chardev:p"]):
        process = start(folder, options)
        output = os.open(path + ".out", os.O_RDONLY)
        try:
            read_until(lambda: os.read(output, 100), b"A")
            for text, answer in ((b"b", b"c"), (b"d", b"e")):  # each by another writer
                with open(path + ".in", "wb") as file:
                    file.write(text)
                read_until(lambda: os.read(output, 100), answer)
            with open(path + ".in", "wb") as file:
                file.write(b"q")
            assert process.wait(PATIENCE) == 0x23
        finally:
            os.close(output)
            end(process)


def device_files(folder):
    """A terminal of the host takes both ways; /dev/null and /dev/stdout what is printed."""
    master, slave = pty.openpty()
    for options in (["-serial", os.ttyname(slave)], ["-chardev", f"tty,id=t,path={os.ttyname(slave)}", "-serial", "chardev:t"]):
        process = start(folder, options)
        try:
            read_until(lambda: read_terminal(master), b"A")
            os.write(master, b"b")
            read_until(lambda: read_terminal(master), b"c")
            os.write(master, b"q")
            assert process.wait(PATIENCE) == 0x23
        finally:
            end(process)
    os.close(master)
    os.close(slave)
    debug = os.path.join(folder, "debug")
    for name in ("/dev/stdout", "/dev/null"):
        process = start(folder, ["-serial", name, "-debugcon", "file:" + debug], stdout=subprocess.PIPE)
        try:
            if name == "/dev/stdout":
                read_until(lambda: os.read(process.stdout.fileno(), 100), b"A")
            wait_for(lambda: os.path.exists(debug) and open(debug, "rb").read() == b"D", "the debug console's file")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            end(process)
        os.unlink(debug)


def a_reader_that_went_away_does_not_hang_the_guest(folder):
    path, monitor_path = os.path.join(folder, "serial"), os.path.join(folder, "monitor")
    process = start(folder, ["-serial", f"unix:{path},server,nowait", "-monitor", f"unix:{monitor_path},server,nowait"])
    try:
        monitor = Monitor(monitor_path, process)
        for _ in range(3):
            client = socket.socket(socket.AF_UNIX)
            client.connect(path)
            client.sendall(b"bb")
            client.close()
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        client.settimeout(PATIENCE)
        answer = b""
        while b"ee" not in answer:  # what was sent before the guest was at its loop is lost
            client.sendall(b"dd")
            answer = answer + client.recv(100) if select.select([client], [], [], 1)[0] else b""
        expect("running", monitor.run("info status"))
    finally:
        end(process)


# Prints the text behind it on LPT1 by the BIOS, then writes 11h to port 501h.
#   xor ax,ax; mov ds,ax; mov si,text; next: lodsb; test al,al; jz done; mov ah,0; xor dx,dx; int 17h; jmp next
#   done: mov dx,501h; mov al,11h; out dx,al; hlt; text:
PRINTING = bytes.fromhex("31c08ed8be1b7cac84c07408b40031d2cd17ebf3ba0105b011eef4")


def parallel_ports(folder):
    """What the guest prints arrives in a file and on a socket; a port with nobody behind it takes it, too."""
    text, image = b"printed by the BIOS\r\n\f", os.path.join(folder, "print.img")
    with open(image, "wb") as file:
        file.write(boot_sector(PRINTING + text))
    out, path = os.path.join(folder, "printed"), os.path.join(folder, "printer")
    command = [PROGRAM, "-display", "none", "-m", "4", "-fda", image, "-boot", "a", "-device", "isa-debug-exit"]
    for options in (["-parallel", "file:" + out], ["-parallel", "null"],
                    ["-chardev", f"file,id=lp,path={out}2", "-parallel", "chardev:lp"]):
        assert subprocess.run(command + options, timeout=PATIENCE, check=False).returncode == (0x11 << 1 | 1), options
    for name in (out, out + "2"):
        with open(name, "rb") as file:
            assert file.read() == text, name
    process = subprocess.Popen(command + ["-parallel", f"unix:{path},server"], stderr=subprocess.PIPE)
    try:
        client = connect(path)
        read_until(lambda: client.recv(100), text)
        client.close()
    finally:
        end(process)


CHECKS = [serial_on_a_socket, files, standard_input_and_output, shared_terminal_is_raw_and_restored,
          nographic_shows_the_bios_on_the_terminal, pseudo_terminal, telnet, named_pipes, device_files,
          a_reader_that_went_away_does_not_hang_the_guest, parallel_ports]


def in_own_folder(check):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            check(folder)
    run.__name__ = check.__name__
    return run


if __name__ == "__main__":
    need_firmware()
    sys.exit(run_checks([in_own_folder(check) for check in CHECKS]))
