#!/usr/bin/env python3
"""The private network from outside: forwarded ports, TFTP, name service, restrict=, cables in and
out, and a tap."""
import fcntl
import hashlib
import os
import re
import socket
import struct
import subprocess
import threading

import initramfs
import network_guest
from guest_test import Skip, case, check, run_cases

CARD = "pcnet"
MODULES = ["pcnet32"]


def run_script(context, back_end, script, act=None, extra=(), seconds=120):
    options = network_guest.options(context.folder, ["-netdev", f"{back_end},id=lan", "-device",
                                                     f"{CARD},netdev=lan,id=card", *extra], MODULES, script)
    with context.start(*options) as machine:
        if "without libslirp" in machine.read_log():
            raise Skip("this build has no network 'user'")
        if act:
            act(machine)
        machine.wait_serial(initramfs.DONE, seconds)
        log = machine.read_serial()
        check(f"{initramfs.DONE} 0" in log, log)
        return log


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, text):
    """What a server in the guest answers; it may not listen yet."""
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(4096):
            answer += part
        return answer


def forwards(machine, port):
    return re.search(rf"HOST_FORWARD.*\s{port}\s", machine.execute("info usernet"))


@case
def ports_lead_to_the_guest(context):
    first, second = free_port(), free_port()
    script = network_guest.START + """
nc -l -p 22 </dev/null >/one & nc -l -p 23 </dev/null >/two &
until cat /proc/net/tcp* | grep -q ":0016 0" && cat /proc/net/tcp* | grep -q ":0017 0"; do sleep 0.1; done
echo "listens"; wait
echo "one $(cat /one) two $(cat /two)"
"""

    def act(machine):
        machine.wait_serial("listens", 120)
        machine.execute("stop")
        machine.execute("cont")
        machine.wait_until(lambda: ask(first, b"by option") == b"" or True, 10, "a connection")
        machine.execute(f"hostfwd_add tcp:127.0.0.1:{second}-:23")
        check(forwards(machine, second), "the forward is not listed")
        ask(second, b"by monitor")
        machine.execute(f"hostfwd_remove tcp:127.0.0.1:{second}")
        check(not forwards(machine, second), "the forward is still listed")

    log = run_script(context, f"user,hostfwd=tcp:127.0.0.1:{first}-:22", script, act)
    check("one by option two by monitor" in log, log)


@case
def files_by_tftp(context):
    folder = os.path.join(context.folder, "tftp")
    os.mkdir(folder)
    data = network_guest.noise(1)[:100000]
    with open(os.path.join(folder, "file.txt"), "wb") as file:
        file.write(data)
    script = network_guest.START + """
tftp -g -r file.txt -l /file 10.0.2.2 && echo "tftp $(md5sum </file)"
"""
    log = run_script(context, f"user,tftp={folder},bootfile=/file.txt", script)
    check("tftp " + hashlib.md5(data).hexdigest() in log, log)


@case
def files_by_http(context):
    """Several at once, a list, and no way out of the folder; with restrict=on, too."""
    folder = os.path.join(context.folder, "http")
    os.makedirs(os.path.join(folder, "more"))
    data = network_guest.noise(8)
    with open(os.path.join(folder, "large file"), "wb") as file:
        file.write(data)
    with open(os.path.join(folder, "more", "note.txt"), "wb") as file:
        file.write(b"a note")
    with open(os.path.join(context.folder, "secret"), "wb") as file:
        file.write(b"nobody's")
    script = network_guest.START.replace("ping -c 3 10.0.2.2 || exit 2\n", "") + """
wget -q -O /one http://10.0.2.4/large%20file & wget -q -O /two http://10.0.2.4/large%20file &
wget -q -O /note http://10.0.2.4/more/note.txt; wait
echo "http $(md5sum </one) $(md5sum </two) $(cat /note)"
echo "list $(wget -q -O - http://10.0.2.4/ | grep -c href) $(wget -q -O - http://10.0.2.4/more | grep -c note)"
wget -O - http://10.0.2.4/../secret; printf 'GET /../secret HTTP/1.0\\r\\n\\r\\n' | nc 10.0.2.4 80
dd if=/one of=/half bs=1024 count=4000 2>/dev/null; wget -q -c -O /half http://10.0.2.4/large%20file
echo "resumed $(md5sum </half)"
"""
    log = run_script(context, f"user,restrict=on,http={folder}", script)
    total = hashlib.md5(data).hexdigest()
    check(f"http {total}  - {total}  - a note" in log, log)
    check("list 2 1" in log, log)
    check("400 Bad Request" in log and "nobody's" not in log, log)
    check("resumed " + total in log, log)


@case
def names_of_a_server_of_the_host(context):
    """At the gateway's address are the servers of the host itself, by UDP, too."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        server.bind(("127.0.0.1", 53))
    except OSError as reason:
        raise Skip(f"no name server can be made here: {reason}")

    def answer():
        while True:
            question, sender = server.recvfrom(512)
            # RFC 1035: the question comes back with one answer, an address.
            head = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
            end = question.index(b"\0", 12) + 5
            server.sendto(head + question[12:end] + b"\xC0\x0C\0\1\0\1\0\0\0\x3C\0\4"
                          + bytes([10, 9, 8, 7]), sender)

    threading.Thread(target=answer, daemon=True).start()
    script = network_guest.START + "nslookup -type=a old.machine 10.0.2.2\n"
    log = run_script(context, "user", script)
    check("10.9.8.7" in log, log)


@case
def a_restricted_guest_reaches_nothing(context):
    host = network_guest.Host(b"secret")
    script = network_guest.START + f"""
nc -w 3 10.0.2.2 {host.down} </dev/null >/got; [ -s /got ] && exit 3
echo "nothing came"
"""
    log = run_script(context, "user,restrict=on", script)
    check("nothing came" in log, log)


@case
def other_networks(context):
    script = network_guest.START.replace("10.0.2.2", "192.168.76.1") + "cat /proc/net/arp\n"
    log = run_script(context, "user,net=192.168.76.0/24,host=192.168.76.1,dhcpstart=192.168.76.9,"
                     "dns=192.168.76.3", script)
    check("lease 192.168.76.9 192.168.76.1 192.168.76.3" in log, log)


@case
def cables_are_plugged_in_and_out(context):
    script = network_guest.START + """
echo "take it out"
while ping -c 1 -W 1 10.0.2.2 >/dev/null; do :; done
echo "it is out"
until ping -c 1 -W 1 10.0.2.2 >/dev/null; do :; done
echo "it is in"
"""

    def act(machine):
        machine.wait_serial("take it out", 120)
        machine.execute("set_link card off")
        check("link=down" in machine.execute("info network"), "the cable is in")
        machine.wait_serial("it is out", 60)
        machine.execute("set_link lan on")
        machine.wait_serial("it is in", 60)

    run_script(context, "user", script, act)


def open_tap():
    """An interface of the host and its file; needs the right to make one."""
    try:
        file = os.open("/dev/net/tun", os.O_RDWR)
        request = fcntl.ioctl(file, 0x400454CA, struct.pack("16sH22x", b"reprise%d", 0x1002))
    except OSError as reason:
        raise Skip(f"no tap can be made: {reason}")
    return file, request[:16].rstrip(b"\0").decode()


@case
def a_tap_of_the_host(context):
    """The frames are answered here, by hand: no address of the host is changed."""
    file, name = open_tap()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH22x", name.encode(), 0x1043)  # up, running, broadcast, multicast
        try:
            fcntl.ioctl(control, 0x8914, request)
        except OSError as reason:
            raise Skip(f"the tap cannot be brought up: {reason}")
    seen = []
    os.set_inheritable(file, True)

    def watch():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as wire:
            wire.bind((name, 0))
            while True:
                frame = wire.recv(2000)
                seen.append(frame)
                if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1":  # ARP, a request
                    own = b"\x52\x55\0\0\0\1"
                    wire.send(frame[6:12] + own + frame[12:20] + b"\0\2" + own + frame[38:42] + frame[22:32])

    threading.Thread(target=watch, daemon=True).start()
    script = """ifconfig eth0 192.168.9.2 up || exit 1
i=0; until arping -c 1 -w 1 -I eth0 192.168.9.1; do i=$((i + 1)); [ $i -lt 20 ] || exit 2; done
"""
    options = network_guest.options(context.folder, ["-netdev", f"tap,id=lan,fd={file}", "-device",
                                                     f"{CARD},netdev=lan"], MODULES, script)
    path = os.path.join(context.folder, "serial")
    status = subprocess.run([context.emulator, "-display", "none", "-serial", f"file:{path}", *options],
                            close_fds=False, timeout=600, check=False).returncode
    with open(path, encoding="ascii", errors="replace") as log:
        text = log.read()
    check(status == 0 and f"{initramfs.DONE} 0" in text, text)
    check(re.search("Received 1 (reply|response)", text), text)
    check(any(frame[12:14] == b"\x08\x06" for frame in seen), "the host saw no frame")


if __name__ == "__main__":
    run_cases()
