#!/usr/bin/env python3
"""Linux at work moves from process to process: compile-like loops in memory, a disk that is written, keys that are typed, and
not a line, a sector or a key is lost or comes twice. The downtimes are printed."""
import os
import re
import time

import fetch_packages
import initramfs
from guest_test import case, check, run_cases

LONG = os.environ.get("REPRISE_LONG") == "1"
MOVES = int(os.environ.get("REPRISE_MOVES", "100" if LONG else "4"))
DISK_BYTES = 8 << 20

# Each round sorts and packs files in memory, writes a numbered block to the disk and reads the one before back past the cache;
# what is typed comes out on the serial port line by line.
SCRIPT = """(while read key; do echo "key $key"; done </dev/tty1) &
seq 1 20000 >/numbers
round=0
while [ ! -e /stop ]; do
    round=$((round + 1))
    sort -r /numbers | gzip -1 >/packed
    sum=$(gunzip -c /packed | md5sum)
    (echo "block $round"; head -c 60000 /packed) | dd of=/dev/sda bs=65536 seek=$((round % 100)) conv=sync,fsync 2>/dev/null
    [ $((round % 10)) = 0 ] && echo 1 >/proc/sys/vm/drop_caches
    read word number rest <<END
$(dd if=/dev/sda bs=64 skip=$((round % 100 * 1024)) count=1 2>/dev/null | head -n 1)
END
    echo "round $round $number ${sum%% *}"
done
"""


def options(context, image):
    path = os.path.join(context.folder, "initrd")
    if not os.path.exists(path):
        initramfs.build(path, modules=["ata_piix", "sd_mod"], script=SCRIPT)
    return ["-m", "64", "-kernel", fetch_packages.kernel_image("686"), "-initrd", path, "-append", "console=tty1 console=ttyS0 quiet",
            "-drive", f"file={image},format=raw,if=ide"]


def info(machine):
    return machine.execute("info migrate")


def move(context, source, image, number, more=()):
    """The machine in a new process, and how long it stood still."""
    address = f"unix:{context.folder}/channel{number}"
    target = context.start(*options(context, image), *more, "-incoming", address)
    source.execute(f"migrate -d {address}")
    source.wait_until(lambda: re.search("status: (completed|failed|cancelled)", info(source)), 60, "the end of the move")
    text = info(source)
    check("status: completed" in text, f"move {number}: {text}")
    target.wait_until(lambda: "status: running" in target.execute("info status"), 20, "the target to run")
    check("postmigrate" in source.execute("info status"), "the source")
    return target, int(re.search(r"downtime: (\d+) ms", text).group(1))


def check_rounds(serial):
    rounds = re.findall(r"^round (\d+) (\d+) (\w+)\r?$", serial, re.M)
    check(len(rounds) > 3, "too few rounds: " + serial[-500:])
    for i, (number, read, checksum) in enumerate(rounds):
        check(int(number) == i + 1, f"round {number} is number {i + 1}")
        check(read == number, f"round {number} read block {read}")
        check(checksum == rounds[0][2], f"round {number} has another checksum")
    return len(rounds)


@case
def works_on_while_it_moves(context):
    image = os.path.join(context.folder, "disk")
    with open(image, "wb") as file:
        file.truncate(DISK_BYTES)
    machine = context.start(*options(context, image))
    serial, downtimes, typed = "", [], ""
    machine.wait_serial("^round 2 ", 120)
    for number in range(MOVES):
        key = "abcdefghij"[number % 10]
        machine.send_key(key)
        machine.send_key("ret")  # and goes on with the key held down
        typed += key
        target, downtime = move(context, machine, image, number)
        downtimes.append(downtime)
        serial += machine.read_serial()
        machine.close()
        machine = target
        machine.wait_serial("^round ", 60)
    machine.wait_until(lambda: len(re.findall(r"^key \w", serial + machine.read_serial(), re.M)) == len(typed), 30, "all keys")
    serial += machine.read_serial()
    machine.quit()
    machine.close()
    check("".join(re.findall(r"^key (\w)", serial, re.M)) == typed, f"typed {typed}, came {re.findall('^key.*', serial, re.M)}")
    rounds = check_rounds(serial)
    downtimes.sort()
    print(f"{MOVES} moves in {rounds} rounds; downtime in ms: least {downtimes[0]}, median {downtimes[len(downtimes) // 2]}, "
          f"most {downtimes[-1]}")


@case
def slows_a_busy_guest_down(context):
    """A guest that changes memory faster than it may be sent arrives with auto-converge, and not without."""
    path = os.path.join(context.folder, "initrd")
    script = "dd if=/dev/zero of=/big bs=1M count=24 2>/dev/null\nwhile true; do dd if=/dev/urandom of=/big bs=64k count=384 conv=notrunc " \
             "2>/dev/null; echo again; done\n"
    initramfs.build(path, script=script)
    words = ["-m", "64", "-kernel", fetch_packages.kernel_image("686"), "-initrd", path, "-append", "console=ttyS0 quiet"]
    address = f"unix:{context.folder}/channel"
    with context.start(*words) as source, context.start(*words, "-incoming", address) as target:
        source.wait_serial("^again", 120)
        for line in ("max-bandwidth 10M", "downtime-limit 50"):
            source.execute("migrate_set_parameter " + line)
        source.execute(f"migrate -d {address}")
        time.sleep(5)
        check("status: active" in info(source), "it arrived without being slowed down: " + info(source))
        source.execute("migrate_set_parameter cpu-throttle-increment 30")
        source.execute("migrate_set_capability auto-converge on")
        source.wait_until(lambda: "status: active" not in info(source), 120, "the end of the move")
        text = info(source)
        check("status: completed" in text and "cpu throttle percentage: " in text, text)
        before = len(re.findall("again", target.read_serial()))
        target.wait_until(lambda: len(re.findall("again", target.read_serial())) > before, 60, "its work to go on")


if __name__ == "__main__":
    run_cases()
