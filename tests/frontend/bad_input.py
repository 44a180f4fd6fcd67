#!/usr/bin/env python3
"""Bad input gives one clear line on stderr, exit status 1, and nothing is overwritten."""
import hashlib
import os
import subprocess
import sys
import tempfile

from emulator import PATIENCE, need_firmware

PROGRAM = os.path.abspath(sys.argv[1])


def run(words, folder, environment=None):
    return subprocess.run([PROGRAM] + words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, env=environment)


def check(words, part, folder, environment=None):
    """One line that holds 'part', and status 1; returns what is wrong, or ''."""
    result = run(words, folder, environment)
    lines = result.stderr.splitlines()
    if result.returncode != 1:
        return f"status {result.returncode}: {result.stderr!r}"
    if len(lines) != 1 or not lines[0].startswith("reprise: "):
        return f"not one line: {result.stderr!r}"
    if part not in lines[0]:
        return f"no {part!r} in {lines[0]!r}"
    return f"output: {result.stdout!r}" if result.stdout else ""


def write(path, size, content=b""):
    with open(path, "wb") as file:
        file.write(content)
        file.truncate(size)


def fingerprint(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found[name] = (hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mode)
    return found


def bad_networks():
    user, socket = "user,id=n", "socket,id=n"
    yield ["-netdev", "usr,id=n"], "did you mean 'user'?"
    yield ["-netdev", "user"], "id="
    yield ["-netdev", user + ",nett=1"], "did you mean 'net'?"
    yield ["-netdev", user, "-netdev", user], "two network back ends 'n'"
    yield ["-netdev", socket], "exactly one of"
    yield ["-netdev", socket + ",udp=127.0.0.1:1"], "localaddr="
    yield ["-device", "pcnet,netdev=m"], "no network back end 'm'"
    yield ["-device", "pcnt"], "did you mean 'pcnet'?"
    yield ["-device", "pcnet,mac=52:54:00:12:34"], "six bytes"
    yield ["-device", "pcnet,mac=53:54:00:12:34:56"], "a group"
    yield ["-device", "pcnet,addr=40"], "1 to 1f"
    yield ["-device", "ne2k_isa,iobase=0x301"], "multiple of 20h"
    yield ["-netdev", user, "-device", "pcnet,netdev=n", "-device", "pcnet,netdev=n"], "two network cards"
    yield ["-nic", "user,model=rtl8193"], "did you mean 'rtl8139'?"
    yield ["-object", "filter-dump,id=d,netdev=n,file=x.pcap"], "no network back end 'n'"
    yield ["-netdev", "socket,id=n,connect=nowhere", "-device", "pcnet,netdev=n"], "no address"
    yield ["-netdev", "tap,id=n,fd=77", "-device", "pcnet,netdev=n"], "no open file"


def make_files(folder):
    os.mkdir(os.path.join(folder, "a_folder"))
    write(os.path.join(folder, "empty.img"), 0)
    write(os.path.join(folder, "good.img"), 1474560)
    write(os.path.join(folder, "disk.img"), 8 << 20)
    write(os.path.join(folder, "protected.img"), 8 << 20)
    os.chmod(os.path.join(folder, "protected.img"), 0o444)
    write(os.path.join(folder, "short.bin"), 100, b"no BIOS")
    write(os.path.join(folder, "empty.bin"), 0)
    write(os.path.join(folder, "odd.bin"), 65535)
    write(os.path.join(folder, "large.bin"), (16 << 20) + 65536)
    write(os.path.join(folder, "text.txt"), 11, b"not a sock\n")


def image_cases():
    """Each way to name an image, with each bad image."""
    for option in ("-fda", "-hda", "-cdrom", None):
        for name, part in (("missing.img", "missing.img"), ("a_folder", "a_folder"), ("empty.img", "empty.img"),
                           ("no/such/folder/x.img", "no/such/folder/x.img")):
            if option or name != "a_folder":  # which is a disk of its files
                yield ([option, name] if option else [name]), part
    yield ["-drive", "file=missing.img,format=raw,if=floppy"], "missing.img"
    yield ["-drive", "file=good.img,format=vmdk2"], "vmdk2"
    yield ["-snapshot", "-hda", "missing.img"], "missing.img"


def option_cases():
    yield ["-memory", "64"], "unknown option '-memory'"
    yield ["-hdaa", "x"], "did you mean '-hda'"
    yield ["-m", "0"], "1M to 3.5G"
    yield ["-m", "1K"], "1M to 3.5G"
    yield ["-m", "lots"], "lots"
    yield ["-m", "999999999999999999999T"], "memory"
    yield ["-smp", "0"], "1 to 8 processors"
    yield ["-smp", "2", "-cpu", "486"], "several processors need a model with a local APIC"
    yield ["-cpu", "abacus"], "abacus"
    yield ["-cpu", "386"], "needs a 486"
    yield ["-cpu", "max,+lmm"], "unknown CPU feature"
    yield ["-bios", "no-such-bios.bin"], "'no-such-bios.bin' not found"
    yield ["-bios", "./no-such-bios.bin"], "No such file"
    yield ["-bios", "a_folder/"], "a_folder"
    yield ["-bios", "./short.bin"], "short.bin' is no BIOS: its size, 100 bytes, is no multiple of 64 KB"
    yield ["-bios", "short.bin"], "100 bytes"
    yield ["-bios", "odd.bin"], "65535 bytes"
    yield ["-bios", "large.bin"], "larger than 16 MB"
    yield ["-bios", "./empty.bin"], "empty.bin"
    yield ["-serial", "file:no/such/folder/out"], "no/such/folder/out"
    yield ["-device", "isa-parallel,index=3"], "three parallel ports"
    yield ["-device", "isa-parallel,iobase=0x379"], "378h, 278h and 3BCh"
    yield from bad_networks()
    yield ["-monitor", "unix:no/such/folder/sock,server,nowait"], "no/such/folder/sock"
    yield ["-monitor", "unix:text.txt,server,nowait"], "text.txt"
    yield ["-serial", "unix:nobody-listens"], "nobody-listens"
    yield ["-D", "no/such/folder/log"], "no/such/folder/log"
    yield ["-d", "everything"], "everything"
    yield ["-pidfile", "no/such/folder/pid"], "no/such/folder/pid"
    yield ["-boot", "x"], "not 'x'"
    yield ["-boot", "order=aca"], "names 'a' twice"
    yield ["-boot", "once=e"], "not 'e'"
    yield ["-boot", "menu=perhaps"], "perhaps"
    yield ["-boot", "splash-time=65536"], "65535"
    yield ["-boot", "reboot-timeout=-2"], "-2"
    yield ["-boot", "reboot-timeout=70000"], "65535"
    yield ["-boot", "order=c,secret=1"], "secret"
    yield ["-kernel", "missing.bin"], "missing.bin"
    yield ["-kernel", "a_folder"], "a_folder"
    yield ["-kernel", "empty.bin"], "is empty"
    yield ["-kernel", "text.txt"], "is no kernel"
    yield ["-kernel", "good.img"], "is no kernel"
    yield ["-initrd", "good.img"], "-kernel names it"
    yield ["-append", "quiet"], "-kernel names it"
    yield ["image", "create"], "too few words"
    yield ["image", "snapshot"], "too few words"
    yield ["replay", "x"], "cannot read 'x'"


def main():
    need_firmware()
    failures = []
    headless = ["-display", "none"]
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        before = fingerprint(folder)
        count = 0
        for words, part in list(image_cases()) + list(option_cases()):
            verb = words[0] in ("test", "image", "replay")
            problem = check(words if verb else headless + words, part, folder)
            count += 1
            if problem:
                failures.append((words, problem))
        bare = {name: value for name, value in os.environ.items()
                if name not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
        problem = check(["-fda", "good.img"], "-display none", folder, bare)
        if problem:
            failures.append((["no display"], problem))
        if os.getuid() != 0:
            os.chmod(os.path.join(folder, "good.img"), 0)
            problem = check(headless + ["-fda", "good.img"], "good.img", folder)
            if problem:
                failures.append((["unreadable"], problem))
            os.chmod(os.path.join(folder, "good.img"), before["good.img"][1])
            problem = check(headless + ["-hda", "protected.img"], "protected.img", folder)
            if problem:
                failures.append((["protected"], problem))
        after = fingerprint(folder)
        if after != before:
            failures.append((["files"], f"changed: {sorted(set(after.items()) ^ set(before.items()))}"))
    for words, problem in failures:
        print(f"FAIL {' '.join(words)}: {problem}")
    print(f"{count} bad command lines, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
