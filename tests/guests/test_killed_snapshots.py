#!/usr/bin/env python3
"""Snapshots of a FreeDOS machine that writes to its disk's image, loaded in fresh processes, also
after the program was killed; and looked at from outside."""
import os
import random
import shutil
import signal
import subprocess
import time

from guest_test import case, check, mtools, run_cases

PARTITION_OFFSET = 63 * 512
PROMPT = r"^C:\\>\Z"


def drive(image, *more):
    return ["-m", "16", "-boot", "c",
            "-drive", ",".join([f"file={image},format=raw,if=ide,index=0", *more])]


def boot(context, image, *more):
    machine = context.start(*drive(image, *more))
    machine.wait_text(r"1 - HIMEMX")
    machine.type_text("3\n")
    machine.wait_text(r"ready, menu choice 3")
    machine.wait_text(r"^C:\\>")
    return machine


def type_command(machine, text, reply):
    machine.type_text("cls\n")
    machine.wait_until(lambda: len(machine.read_text().split()) == 1, 20, "cleared screen")
    machine.type_text(text + "\n")
    machine.wait_text(reply)
    machine.wait_until(lambda: machine.read_text().rstrip().endswith("C:\\>"), 30, "prompt")


def monitor(machine, command):
    reply = machine.execute(command)
    check("rror" not in reply, f"{command}: {reply}")
    return reply


def read_file(image, name):
    return mtools("mtype", image, "::TEMP/" + name, offset=PARTITION_OFFSET)


def list_files(image):
    return mtools("mdir", image, "-b", "::TEMP", offset=PARTITION_OFFSET).decode().upper()


def check_file_system(context, image):
    if not shutil.which("fsck.fat"):
        return
    partition = os.path.join(context.folder, "partition")
    with open(image, "rb") as disk, open(partition, "wb") as copy:
        disk.seek(PARTITION_OFFSET)
        copy.write(disk.read())
    result = subprocess.run(["fsck.fat", "-n", partition], capture_output=True, text=True,
                            check=False)
    check(result.returncode == 0, f"fsck.fat: {result.stdout}")


def load(context, image, name, *more):
    """A fresh process that holds still where the snapshot was made."""
    machine = context.start(*drive(image, *more), "-S", "-loadvm", name)
    machine.execute("info status")
    return machine


@case
def loaded_by_a_fresh_process(context):
    """The image holds the present; -loadvm makes it the past."""
    image = context.copy("freedos-hdd.img.gz")
    machine = boot(context, image)
    machine.type_text("echo 1>temp\\a\n")
    machine.wait_until(lambda: "/TEMP/A\n" in list_files(image)
                       and read_file(image, "A") == b"1\r\n", 20, "file in the image")
    monitor(machine, "savevm one")
    machine.type_text("del temp\\a\n")
    machine.wait_until(lambda: "/TEMP/A\n" not in list_files(image), 20, "file's end")
    machine.quit()
    check_file_system(context, image)

    load(context, image, "one").quit()
    check(read_file(image, "A") == b"1\r\n", "the snapshot's file is not there")
    check_file_system(context, image)

    with open(image, "r+b") as disk:  # somebody else writes it
        disk.seek(0x1B8)
        disk.write(b"them")
    machine = context.start(*drive(image), "-S")
    reply = machine.execute("loadvm one")
    check("changed by another program" in reply, f"a foreign change is not told: {reply}")
    machine.quit()


@case(long=True)
def killed_while_it_writes_and_loads(context):
    """kill -9 at any moment: the snapshot and the image are whole afterwards."""
    image = context.copy("freedos-hdd.img.gz")
    machine = boot(context, image)
    type_command(machine, "echo first>temp\\a.txt", "first")
    monitor(machine, "savevm one")
    rng = random.Random(4711)
    for _ in range(4):
        machine.type_text("for %i in (1 2 3 4 5 6 7 8 9) do copy /y command.com temp\\c%i.com\n")
        time.sleep(rng.uniform(0, 0.6))
        if rng.random() < 0.5:
            machine.monitor.sendall(b"loadvm one\n")
            time.sleep(rng.uniform(0, 0.05))
        machine.process.send_signal(signal.SIGKILL)
        machine.process.wait()
        machine.close()
        machine = load(context, image, "one")
        machine.quit()
        check(read_file(image, "A.TXT") == b"first\r\n", "the snapshot's file is not there")
        check("C1.COM" not in list_files(image), "a file of the future is there")
        check_file_system(context, image)
        machine = load(context, image, "one")
        machine.execute("cont")
        type_command(machine, "type temp\\a.txt", r"^first")


run_cases()
