#!/usr/bin/env python3
"""A real gdb at the stub: registers, memory, break- and watchpoints, steps, threads, the monitor, the end."""
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time

from debugger import Debugged, build_guest, run_checks

PROGRAM = os.path.abspath(sys.argv[1])


def expect(pattern, text):
    assert re.search(pattern, text), f"no /{pattern}/ in:\n{text}"


def starts_at_the_reset_vector(elf):
    """CS:EIP is F000:FFF0 with a base of FFFF0000h, then F000:E05B with one of F0000h."""
    with Debugged(PROGRAM, []) as machine:
        text = machine.gdb(["info registers eip ip cs cs_base", "stepi", "info registers eip ip cs_base"])
    expect(r"eip +0xfffffff0", text)
    expect(r"\nip +0xfff0 ", text)
    expect(r"cs_base +0xffff0000", text)
    expect(r"eip +0xfe05b(?s:.*)ip +0xe05b(?s:.*)cs_base +0xf0000", text)


def breaks_watches_and_steps(elf):
    with Debugged(PROGRAM, ["-kernel", elf]) as machine:
        text = machine.gdb([
            "break count_up", "continue", "info registers eip", "print (int)counter", "stepi", "print (int)counter",
            "backtrace 2", "delete", "hbreak corrupt", "continue", "print (int)counter", "watch *(int*)&victim", "continue",
            "print/x (int)victim", "print/x $edi - (int)&victim", "set var *(int*)&victim = 77", "x/wx &victim",
            "rwatch *(int*)&victim", "continue", "info registers eax", "set var $eax = 5", "print $eax",
            "set var $xmm3.uint128 = 9", "print $xmm3.uint128", "print $cr0", "info threads"], elf)
    expect(r"Breakpoint 1, .*count_up", text)
    expect(r"\$1 = 0\n", text)
    expect(r"\$2 = 1\n", text)
    expect(r"Breakpoint 2, .*corrupt(?s:.*)= 100000\n", text)
    expect(r"Hardware watchpoint 3(?s:.*)Old value = 1234\nNew value = 2989\n", text)
    expect(r"= 0xbad\n(?s:.*)= 0x4\n", text)
    expect(r":\s+0x0000004d", text)
    expect(r"read watchpoint 4(?s:.*)Value = 77\n", text)
    expect(r"eax +0x4d(?s:.*)= 5\n(?s:.*)= 9\n(?s:.*)\[ PE ET ", text)


def stops_at_a_triple_fault(elf):
    with Debugged(PROGRAM, ["-kernel", elf]) as machine:
        text = machine.gdb(["break *crash", "continue", "continue", "x/i $pc", "break _start", "continue"], elf)
    expect(r"SIGSEGV(?s:.*)<crash>:\s+div +%ebx", text)
    expect(r"Breakpoint 2, .*_start", text)  # the reset comes when it goes on


def steps_take_no_interrupts(elf):
    """The timer ticks in the BIOS's idle loop; a step ends at the next instruction all the same."""
    with Debugged(PROGRAM, ["-kernel", elf]) as machine:
        text = machine.gdb(["break count_up", "continue"] + ["stepi"] * 40 + ["info registers instruction_count"], elf)
    assert len(re.findall(r"(?m)^\d\d\t", text)) == 41, text


def knows_threads(elf):
    with Debugged(PROGRAM, ["-kernel", elf, "-smp", "2"]) as machine:
        text = machine.gdb(["break count_up", "continue", "info threads", "thread 2", "info registers eip halted",
                            "thread 1", "stepi", "info threads"], elf)
    expect(r"\* 1 +Thread 1 \(CPU#0 \[running\]\).*count_up", text)
    expect(r"2 +Thread 2 \(CPU#1 \[halted \]\)", text)
    expect(r"halted +0x1 ", text)


def runs_monitor_commands(elf):
    with Debugged(PROGRAM, ["-m", "16"]) as machine:
        text = machine.gdb(["monitor info status", "monitor info registers", "monitor nonsense",
                            "maintenance packet qqemu.sstepbits", "maintenance packet Qqemu.PhyMemMode:1",
                            "x/2xb 0xffff0", "x/xb 0xa0000000"])
    expect(r"VM status: paused .prelaunch", text)
    expect(r"EAX=00000000", text)
    expect(r"unknown command: 'nonsense'", text)
    expect(r'received: "ENABLE=1,NOIRQ=2,NOTIMER=4"', text)
    expect(r"0xffff0:\s+0xea\s+0x5b", text)
    expect(r"Cannot access memory at address 0xa0000000", text)


def interrupts_detaches_and_ends(elf):
    with Debugged(PROGRAM, ["-m", "16"], paused=False) as machine:
        def count(command):
            text = machine.gdb(["info registers instruction_count", command])
            return int(re.search(r"instruction_count +(0x\w+)", text).group(1), 16)
        first, deadline = count("detach"), time.time() + 120
        while count("detach") <= first:
            assert time.time() < deadline, "it does not go on when gdb has gone"
        count("kill")
        assert machine.process.wait(120) == 0


def connect(wire, address):
    """The socket's name is there a moment before somebody listens."""
    deadline = time.time() + 20
    while wire.connect_ex(address) != 0:
        assert time.time() < deadline, "nobody listens for a debugger"
        time.sleep(0.02)


def conversation(machine, answers_wanted, *packets):
    """Sends packets as they are; returns what comes: so many answers with content, and what else comes within a moment."""
    with socket.socket(socket.AF_UNIX) as wire:
        connect(wire, machine.address)
        for packet in packets:
            wire.sendall(packet if isinstance(packet, bytes) else
                         b"$%s#%02x" % (packet.encode(), sum(packet.encode()) & 255))
        answers = b""
        try:
            while True:
                wire.settimeout(120 if len(re.findall(rb"\$[^#]*#..|^-$", answers)) < answers_wanted else 0.3)
                part = wire.recv(65536)
                if not part:
                    break
                answers += part
        except socket.timeout:
            pass
        return answers.decode()


def answers_ctrl_c_and_bad_packets(elf):
    with Debugged(PROGRAM, ["-m", "16"], paused=False) as machine:
        text = conversation(machine, 1, "c", b"\x03")
        expect(r"^\+\$T02thread:1;#", text)
        expect(r"^-$", conversation(machine, 1, b"$g#00"))
        text = conversation(machine, 17, "vMustReplyEmpty", "m", "mffffffff,2", "Z9,0,1", "Z2,ffffffff,2", "p999", "P0", "Hgff",
                            "T3", "vCont;x", "Xffff,4:ab", "qXfer:features:read:other.xml:0,10", "M0,1:zz",
                            "qRcmd,5", "Z2,0,100000", "QStartNoAckMode", "?")
        answers = re.findall(r"\$([^#]*)#", text)
        assert answers == ["", "E16", "E16", "E16", "E1c", "E16", "E16", "E16", "E16", "E16", "E16", "E00", "E16", "OK",
                           "E1c", "OK", "T05thread:1;"], answers
        assert stat.S_IMODE(os.stat(machine.address).st_mode) == 0o600


def refuses_bad_addresses(elf):
    for address, message in (("tcp:1234x", "wants"), ("serial", "an address is"), ("unix:/no/such/folder/x", "cannot listen"),
                             ("tcp::1,fast", "unknown setting 'fast'")):
        run = subprocess.run([PROGRAM, "-display", "none", "-gdb", address, "-S"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=120, check=False)
        assert run.returncode == 1 and message in run.stderr, (address, run.stderr)


def debugs_xv6(elf):
    """Stops in the boot sector in real mode, at the kernel's entry, and in the paged kernel."""
    images = [os.path.join(os.environ.get("REPRISE_GUESTS", ""), name) for name in ("xv6.img", "xv6-fs.img")]
    if not all(map(os.path.exists, images)):
        print("(no xv6)")
        return
    with Debugged(PROGRAM, ["-hda", images[0], "-hdb", images[1], "-snapshot", "-icount", "shift=3"]) as machine:
        text = machine.gdb(["break *0x7c00", "continue", "info registers eip cr0", "delete", "hbreak *0x10000c", "continue",
                            "delete", "stepi 10", "print $cr0"])
    expect(r"Breakpoint 1(?s:.*)eip +0x7c00 (?s:.*)cr0 +0x10 ", text)
    expect(r"Breakpoint 2, 0x0010000c(?s:.*)\[ PE .*PG", text)


def watches_without_slowing_others(elf):
    """A loop of some hundred million instructions takes the same time with a watchpoint and a breakpoint elsewhere."""
    def ticks(*points):
        with Debugged(PROGRAM, ["-kernel", elf, "-m", "16", "-nic", "none"]) as machine:
            look = f"shell cut -d' ' -f14 /proc/{machine.process.pid}/stat"
            text = machine.gdb(["break *'_start.loop'", "continue", "delete", "set $ecx = 60000000", *points, "break done", look, "continue",
                                look, "print (int)counter"], elf)
        expect(r"= 60000000\n", text)
        before, after = re.findall(r"(?m)^(\d+)$", text)
        return int(after) - int(before)

    def measure():
        alone = ticks()
        watched = ticks("watch *(int *)0x700000", "break corrupt", "hbreak *0x800000")
        print(f"(processor time of a loop: {alone} ticks alone, {watched} with points elsewhere)")
        return watched <= alone * 1.3 + 5

    assert measure() or measure() or measure(), "it is slower"


def follows_v8086_mode(elf):
    """Addresses are linear there too; a fault leads to the monitor, where they are flat ones, and back."""
    with tempfile.TemporaryDirectory() as folder:
        guest = build_guest(folder, "v8086")
        for options in ([], ["-accel", "interp"]):
            with Debugged(PROGRAM, ["-kernel", guest, "-m", "16", *options]) as machine:
                text = machine.gdb([
                    "hbreak *0x20004", "continue", "info registers eip cs ss ds eflags", "x/2xh $esp", "x/xh 0x4ffee",
                    "x/2xb 0x20004", "stepi", "info registers eip", "x/dh 0x30010",
                    "delete", "watch *(short *)0x30010", "continue", "info registers eip", "delete", "break monitor_entry",
                    "continue", "info registers eip cs eflags", "x/4xw $esp", "delete", "stepi 3", "info registers eip cs",
                    "monitor info registers"], guest)
            expect(r"Breakpoint 1, 0x00020004", text)
            expect(r"eip +0x20004 +(?s:.*)cs +0x2000 (?s:.*)ss +0x4000 (?s:.*)ds +0x3000 (?s:.*)eflags +0x20002 +\[ VM \]", text)
            expect(r"0x4ffee:\s+0x1234", text)
            expect(r"0x20004:\s+0xff\s+0x06", text)
            expect(r"0x20008(?s:.*)0x30010:\s+1\n", text)
            expect(r"Hardware watchpoint \d(?s:.*)Old value = 1\nNew value = 2\n(?s:.*)eip +0x20008 ", text)
            expect(r"monitor_entry(?s:.*)cs +0x8 (?s:.*)eflags +0x\w+ +\[ (?!.*VM)", text)
            expect(r":\s+0x00000000\s+0x00000008\s+0x00002000\s+0x0003\d\d\d\d", text)
            expect(r"eip +0x2000a (?s:.*)cs +0x2000 (?s:.*)EIP=0000000a EFL=0003", text)


def agrees_with_qemu(elf):
    """Registers and memory as gdb prints them, where QEMU's stub shows the same: in flat protected mode."""
    if shutil.which("qemu-system-i386") is None:
        print("(no qemu-system-i386)")
        return
    commands = ["break corrupt", "continue", "info registers eax ecx esp edi eip eflags cs ss ds es", "x/4xw &array", "x/3i $pc",
                "stepi 5", "info registers eip ecx edi eflags", "x/4dw &array", "break done", "continue", "print/x (int)victim",
                "watch *(int *)&counter", "print $eflags", "x/2xb &gdt", "info registers eip cs cr0"]
    texts = []
    for program, options in ((PROGRAM, []), (shutil.which("qemu-system-i386"), ["-cpu", "pentium3"])):
        with Debugged(program, ["-kernel", elf, "-m", "16", *options], more=",server=on,wait=off") as machine:
            time.sleep(0.5)  # QEMU's socket is there before it listens
            text = machine.gdb(commands, elf)
        texts.append([re.sub(r"\[.*\]", lambda flags: str(sorted(set(flags.group().split()) - {"IOPL=0"})), line)  # in whatever order
                      for line in text.splitlines()[2:] if re.match(r"^(e?[a-z]{2}[a-z0-9]?|eflags|cr0) +0x|^0x|^=>|^ +0x|^\$\d", line)])
    assert texts[0] == texts[1] and len(texts[0]) > 20, [pair for pair in zip(*texts) if pair[0] != pair[1]] or texts


CHECKS = [starts_at_the_reset_vector, breaks_watches_and_steps, stops_at_a_triple_fault, steps_take_no_interrupts,
          knows_threads, runs_monitor_commands, interrupts_detaches_and_ends, answers_ctrl_c_and_bad_packets,
          refuses_bad_addresses, watches_without_slowing_others, follows_v8086_mode, agrees_with_qemu, debugs_xv6]


if __name__ == "__main__":
    sys.exit(run_checks(CHECKS))
