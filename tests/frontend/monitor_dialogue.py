#!/usr/bin/env python3
"""The monitor on its socket: the forms in which scripts written for QEMU expect its answers."""
import os
import re
import subprocess
import sys
import time

from emulator import PATIENCE, Emulator, Monitor, expect, need_firmware, run_checks, wait_for

PROGRAM = os.path.abspath(sys.argv[1])
HEADLESS = ["-display", "none", "-nic", "none", "-m", "16"]


def greets_and_prompts(machine):
    expect(r"^Reprise [0-9.]+ monitor - type 'help' for more information\n$", machine.monitor.greeting)


def answers_empty_lines_with_a_prompt(machine):
    assert machine.monitor.run("") == ""


def names_the_nearest_command(machine):
    expect("unknown command: 'screndump'; did you mean 'screendump'", machine.monitor.run("screndump x"))
    expect("unknown command: 'info regsiters'; did you mean 'info registers'", machine.monitor.run("info regsiters"))


def helps(machine):
    text = machine.monitor.run("help")
    for name in ("change", "cont", "eject", "screendump", "sendkey", "stop", "system_reset", "xp"):
        expect(rf"(?m)^{name}", text)
    expect(r"^stop\|s .*-- stop emulation\n$", machine.monitor.run("help stop"))
    expect(r"(?m)^info registers ", machine.monitor.run("help info"))


def stops_and_continues(machine):
    assert machine.monitor.run("info status") == "VM status: running\n"
    machine.monitor.run("stop")
    assert machine.monitor.run("info status") == "VM status: paused\n"
    before = machine.monitor.run("info registers")
    time.sleep(0.05)
    assert machine.monitor.run("info registers") == before
    machine.monitor.run("c")
    assert machine.monitor.run("info status") == "VM status: running\n"


def holds_a_speed(machine):
    monitor = machine.monitor
    assert monitor.run("speed") == "full speed\n"
    assert monitor.run("speed 4.77") == "held at 4.77 MIPS\n"
    assert monitor.run("speed slower") == "held at 4.5 MIPS\n"
    assert monitor.run("speed faster") == "held at 6 MIPS\n"
    assert monitor.run("speed turbo") == "full speed\n"
    assert monitor.run("speed turbo") == "held at 6 MIPS\n"
    for wrong in ("0", "-3", "fast", "25x", "nan"):
        expect("no number from 0.01 to 100000", monitor.run(f"speed {wrong}"))
    assert monitor.run("speed full") == "full speed\n"


def shows_registers_as_qemu(machine):
    text = machine.monitor.run("info registers")
    word, half = "[0-9a-f]{8}", "[0-9a-f]{16}"
    expect(rf"(?m)^EAX={word} EBX={word} ECX={word} EDX={word}$", text)
    expect(rf"(?m)^EIP={word} EFL={word} \[[-DOSZAPC]{{7}}\] CPL=\d II=\d A20=\d SMM=\d HLT=\d$", text)
    expect(rf"(?m)^CS =[0-9a-f]{{4}} {word} {word} {word}", text)
    expect(rf"(?m)^GDT=     {word} {word}$", text)
    expect(rf"(?m)^CR0={word} CR2={word} CR3={word} CR4={word}$", text)
    expect(rf"(?m)^XMM06={half} {half} XMM07={half} {half}$", text)


def dumps_memory_as_qemu(machine):
    monitor = machine.monitor
    monitor.run("stop")
    expect(r"^00000000000ffff0: 0x[0-9a-f]{8} 0x[0-9a-f]{8} 0x[0-9a-f]{8} 0x[0-9a-f]{8}\n$",
           monitor.run("xp /4xw 0xffff0"))
    expect(r"^00000000000ffff0: 0xea 0x5b 0xe0 0x00 0xf0( 0x[0-9a-f]{2}){3}\n00000000000ffff8: 0x[0-9a-f]{2}\n$",
           monitor.run("xp /9xb 0xffff0"))
    expect(r"^00000000000ffff0: 0x5bea 0x00e0\n$", monitor.run("xp/2xh 0xfffe0+16"))
    expect(r"^00000000000ffff0: 234\n$", monitor.run("xp /1ub 0xffff0"))
    expect(r"^00000000000ffff0: 234\n$", monitor.run("xp /1db 0xffff0"))
    expect(r"^00000000000ffff1: '\['\n$", monitor.run("xp /1c 0xffff1"))
    expect(r"^0x000ffff0:  ea( [0-9a-f]{2})+ +ljmp", monitor.run("xp /1i 0xffff0"))
    expect(r"^gpa: 0xffff0\n$", monitor.run("gva2gpa 0xffff0"))
    expect(r"^00208\n$", monitor.run("sum 0xffff0 2"))  # EAh shifted right, and 5Bh
    expect("MB are|bytes are the most", monitor.run("sum 0 0xffffffff"))
    expect(r"^\* Mouse #2: PS/2 Mouse\n$", monitor.run("info mice"))
    expect(r"^00000000-0000-0000-0000-000000000000\n$", monitor.run("info uuid"))
    expect("^kvm support: disabled", monitor.run("info kvm"))
    expect("invalid char in format: 's'", monitor.run("xp /2s 0"))
    expect("unexpected end of expression", monitor.run("x"))
    expect("division by zero", monitor.run("x 1/0"))
    expect("nested too deep", monitor.run("x " + "(" * 200))
    expect("^0x10\n$", monitor.run("p 2*(3+5)"))
    expect("unknown register", monitor.run("p $ebax"))
    expect("PG disabled", monitor.run("info tlb"))
    expect("PG disabled", monitor.run("info mem"))
    monitor.run("cont")


def shows_chips(machine):
    expect(r"(?m)^pic1: irr=[0-9a-f]{2} imr=[0-9a-f]{2} isr=[0-9a-f]{2} hprio=\d irq_base=[0-9a-f]{2} ",
           machine.monitor.run("info pic"))
    expect(r"(?m)^ioapic0: ver=0x11 id=0x00 sel=0x00$", machine.monitor.run("info pic"))
    expect(r"(?m)^  pin 2  0x0000000000010000 dest=0 vec=0   active-hi edge  masked fixed  physical$",
           machine.monitor.run("info pic"))
    text = machine.monitor.run("info lapic")
    expect(r"(?m)^LVT0\t 0x0000[08]700 active-hi (edge |level) +ExtINT$", text)
    expect(r"(?m)^SPIV\t 0x00000[01]ff APIC (enabled|disabled), focus=off, spurious vec 255$", text)
    expect(r"(?m)^APR 0x00 TPR 0x00 DFR 0x0f LDR 0x00 PPR 0x00$", text)
    expect(r"(?m)^IRQ statistics for isa-i8259:\n( \d: \d+\n)*$", machine.monitor.run("info irq"))
    expect(r"(?m)^floppy0: \[not inserted\]\n    Removable device: not locked, tray closed$",
           machine.monitor.run("info block"))
    expect(r"(?m)^0x| ", machine.monitor.run("info device pit") or " ")
    expect("not found", machine.monitor.run("info device flux"))
    expect(r"^7\.2\.0Reprise [0-9.]+\n$", machine.monitor.run("info version"))
    assert machine.monitor.run("info jit")


def lists_the_pci_bus_as_qemu(machine):
    monitor = machine.monitor
    wait_for(lambda: "BAR4: I/O at 0xc" in monitor.run("info pci"), "the BIOS's resources of the IDE controller")
    text = monitor.run("info pci")
    expect(r"(?m)^  Bus  0, device   1, function 1:\n    IDE controller: PCI device 8086:7010\n      PCI subsystem 1af4:1100"
           r"\n      BAR4: I/O at 0xc000 \[0xc00f\]\.\n      id \"\"$", text)
    expect(r"(?m)^    Bridge: PCI device 8086:7113\n      PCI subsystem 1af4:1100\n      IRQ 9, pin A\n      id \"\"$", text)
    expect(r"(?m)^    VGA controller: PCI device 1234:1111\n      PCI subsystem 1af4:1100\n"
           r"      BAR0: 32 bit prefetchable memory at 0xfd000000 \[0xfdffffff\]\.\n"
           r"      BAR2: 32 bit memory at 0xfebf0000 \[0xfebf0fff\]\.\n"
           r"      BAR6: 32 bit memory at 0xffffffffffffffff \[0x0000fffe\]\.\n", text)
    assert [int(slot) for slot in re.findall(r"device +(\d+), function", text)] == [0, 1, 1, 1, 2], text


def shows_buses_and_maps(machine):
    """After the BIOS has shown its banner: by then it has laid out memory."""
    tree = machine.monitor.run("info qtree")
    expect(r"^bus: main-system-bus\n  type System\n", tree)
    expect(r"(?m)^    bus: pci\.0\n      type PCI$", tree)
    expect(r"(?m)^        bus: isa\.0\n          type ISA$", tree)
    expect(r"(?m)^          dev: isa-serial, id \"\"\n            index = 0 \(0x0\)\n            iobase = 1016 \(0x3f8\)\n", tree)
    expect(r"(?m)^        bus: ide\.1\n          type IDE\n          dev: ide-cd, id \"\"\n            drive = \"ide1-cd0\"$", tree)
    memory = machine.monitor.run("info mtree")
    expect(r"(?m)^address-space: memory\n  0{16}-000000000009ffff \(prio 0, ram\): pc\.ram$", memory)
    expect(r"(?m)^  [0-9a-f]{16}-0000000000ffffff \(prio 0, ram\): pc\.ram @[0-9a-f]{16}$", memory)
    expect(r"(?m)^  00000000fffc0000-00000000ffffffff \(prio 0, rom\): pc\.bios$", memory)
    expect(r"(?m)^address-space: I/O$", memory)
    expect(r"(?m)^  00000000000003f8-00000000000003ff \(prio 0, i/o\): serial$", memory)
    expect(r"(?m)^addr=00000000fffc0000 size=0x040000 mem=rom name=\"bios-256k\.bin\"$", machine.monitor.run("info roms"))


def reads_the_screen(machine):
    wait_for(lambda: "SeaBIOS" in machine.monitor.run("screentext"), "the BIOS's banner on the text screen")
    cells = re.findall(r"0x([0-9a-f]{8})", machine.monitor.run("xp /1000xw 0xb8000"))
    text = "".join(chr(int(cell, 16) & 255) + chr(int(cell, 16) >> 16 & 255) for cell in cells)
    assert "SeaBIOS" in text, text[:200]


def takes_screenshots(machine):
    for name, option, magic in (("a.png", "", b"\x89PNG"), ("b", " -f png", b"\x89PNG"), ("c.ppm", "", b"P6"),
                                ("d", "", b"P6"), ("e.png", " -f ppm", b"P6")):
        path = machine.path(name)
        assert machine.monitor.run("screendump " + path + option) == "", name
        with open(path, "rb") as file:
            assert file.read(len(magic)) == magic, name
    expect("Error: .*/nowhere/x", machine.monitor.run("screendump /nowhere/x"))
    expect("gif", machine.monitor.run("screendump x -f gif"))


def presses_keys(machine):
    assert machine.monitor.run("sendkey a") == ""
    assert machine.monitor.run("sendkey ctrl-alt-f1 50") == ""
    assert machine.monitor.run("sendkey 0x1e") == ""
    expect("invalid parameter: hyper", machine.monitor.run("sendkey ctrl-hyper"))
    expect("string expected", machine.monitor.run("sendkey"))
    assert machine.monitor.run("mouse_move 10 -5") == ""
    assert machine.monitor.run("mouse_button 1") == ""
    assert machine.monitor.run("mouse_button 0") == ""
    expect("numbers expected", machine.monitor.run("mouse_move 1"))


def changes_media(machine):
    monitor = machine.monitor
    path = machine.path("floppy.img")
    with open(path, "wb") as file:
        file.truncate(1474560)
    assert monitor.run("change floppy0 " + path) == ""
    expect(re.escape(f"floppy0: {path} (raw"), monitor.run("info block"))
    expect("Error: ", monitor.run("change floppy0 /nowhere/x.img"))
    expect(re.escape(f"floppy0: {path} (raw"), monitor.run("info block"))
    assert monitor.run("eject floppy0") == ""
    expect(r"floppy0: \[not inserted\]", monitor.run("info block"))
    for drive, size in (("floppy0", 1474560), ("ide1-cd0", 40960)):
        with open(path, "wb") as file:
            file.truncate(size)
        assert monitor.run(f"change {drive} {path}") == ""
        assert monitor.run(f"change {drive} {path}") == "", "the image in the drive cannot be put in again"
        expect(re.escape(f"{drive}: {path} (raw") + r".*\n    Removable device: not locked, tray closed",
               monitor.run("info block"))
        assert monitor.run("eject " + drive) == ""
    expect(r"ide1-cd0: \[not inserted\]\n    Removable device: not locked, tray open", monitor.run("info block"))
    expect("Error: Device 'flux' not found", monitor.run("eject flux"))
    expect("block device name expected", monitor.run("eject"))


def outlives_its_clients(machine):
    machine.monitor.close()
    for _ in range(3):
        machine.monitor = Monitor(machine.monitor_path)
        assert machine.monitor.run("info status") == "VM status: running\n"
        machine.monitor.close()
    machine.monitor = Monitor(machine.monitor_path)


def takes_what_no_client_should_send(machine):
    machine.monitor.socket.sendall(b"x" * 100000 + b"\n")
    expect("too long", machine.monitor.read_answer())
    machine.monitor.socket.sendall(bytes(range(1, 10)) + bytes(range(14, 32)) + b"\xff\xfe%n%s\n")
    machine.monitor.read_answer()
    assert machine.monitor.run("info status") == "VM status: running\n"


def resets(machine):
    machine.monitor.run("stop")
    machine.monitor.run("system_reset")
    expect(r"(?m)^EIP=0000fff0 ", machine.monitor.run("info registers"))
    machine.monitor.run("cont")


def starts_paused(_):
    with Emulator(PROGRAM, HEADLESS + ["-S"]) as machine:
        expect(r"VM status: paused \(prelaunch\)", machine.monitor.run("info status"))
        expect(r"(?m)^EIP=0000fff0 ", machine.monitor.run("info registers"))
        expect(r"^0x000ffff0:  ea 5b e0 00 f0 +ljmpw? +\$0xf000[:,] ?\$0xe05b\n0x000ffff5:",
               machine.monitor.run("x /2i $eip-$cs.base+0xf0000"))
        machine.monitor.run("cont")
        assert machine.monitor.run("info status") == "VM status: running\n"
        assert machine.quit() == 0


def lacks_apics_where_the_processor_does(_):
    for model in ("486", "pentium4,-apic"):
        with Emulator(PROGRAM, HEADLESS + ["-S", "-cpu", model]) as machine:
            expect("this processor has no local APIC", machine.monitor.run("info lapic"))
            expect(r"^pic1: irr=", machine.monitor.run("info pic"))
            expect(r"(?m)^[0-9a-fx]*fee00030: 0xffffffff$", machine.monitor.run("xp /1xw 0xfee00030"))
            machine.monitor.run("nmi")
            assert machine.quit() == 0


def read_clock(monitor):
    """The clock chip's seconds and minutes, as seconds. The guest must be stopped: its firmware uses the index port too."""
    time_read = 0
    for register in (2, 0):
        monitor.run(f"o /b 0x70 {register}")
        byte = int(monitor.run("i /b 0x71").split()[-1], 16)
        time_read = 60 * time_read + (byte >> 4) * 10 + byte % 16
    return time_read


def clocks_go_on_in_a_pause(_):
    for clock, goes_on in (("vm", False), ("host", True), ("rt", True)):
        with Emulator(PROGRAM, HEADLESS + ["-rtc", f"base=2000-01-01,clock={clock}"]) as machine:
            start = time.monotonic()
            machine.monitor.run("stop")
            before = read_clock(machine.monitor)
            time.sleep(3)
            continued = time.monotonic()
            machine.monitor.run("cont")
            machine.monitor.run("stop")
            end = time.monotonic()
            passed = read_clock(machine.monitor) - before
            # Whole seconds: one more or less than what passed.
            least, most = (2, end - start + 1) if goes_on else (0, end - continued + 1)
            assert least <= passed <= most, (clock, passed, least, most)
            assert machine.quit() == 0


def quits(machine):
    assert machine.quit() == 0
    assert not os.path.exists(machine.monitor_path)


def runs_on_standard_input(_):
    result = subprocess.run([PROGRAM] + HEADLESS + ["-S", "-monitor", "stdio"], input="info status\nquit\n",
                            capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode == 0, result
    expect(r"\(reprise\) VM status: paused \(prelaunch\)\n\(reprise\) ", result.stdout)


CHECKS = [greets_and_prompts, answers_empty_lines_with_a_prompt, names_the_nearest_command, helps, stops_and_continues, holds_a_speed,
          shows_registers_as_qemu, dumps_memory_as_qemu, shows_chips, lists_the_pci_bus_as_qemu,
          reads_the_screen, shows_buses_and_maps, takes_screenshots, presses_keys, changes_media, outlives_its_clients, takes_what_no_client_should_send, resets, starts_paused,
          lacks_apics_where_the_processor_does, clocks_go_on_in_a_pause, quits,
          runs_on_standard_input]


def main():
    need_firmware()
    with Emulator(PROGRAM, HEADLESS) as machine:
        return run_checks(CHECKS, machine)


if __name__ == "__main__":
    sys.exit(main())
