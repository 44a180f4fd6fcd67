"""What the guest test scripts share: finding guests, running cases, reporting.

A script holds functions marked with @case and ends with run_cases(). A case gets a Context. The
exit status is 0 when all its cases pass, 1 when one fails and 77 when all were skipped.
"""
import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import fetch_packages
import vm

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXIT_SKIPPED = 77
HOST_PATIENCE = 5.0  # with hosts that have more to do: limits are there against hanging alone
INTERPRETER_PATIENCE = 8.0

_cases = []


class Skip(Exception):
    """The case cannot run here; the message says why."""


def case(function=None, *, long=False):
    """Registers a test case. A LONG one runs only with --long or REPRISE_LONG=1."""
    def register(body):
        _cases.append((body.__name__, body, long))
        return body
    return register(function) if function else register


class Context:
    """What a case needs to know, and the ways to start machines."""

    def __init__(self, emulator, accelerator, folder):
        self.emulator = emulator
        self.accelerator = accelerator
        self.folder = folder
        self.patience = HOST_PATIENCE * (INTERPRETER_PATIENCE if accelerator == "interp" else 1)
        self.is_qemu = "qemu" in os.path.basename(emulator)
        self.machine = None

    def start(self, *options, window=None):
        self.machine = vm.Vm(self.emulator, list(options), self.accelerator, self.patience, window)
        return self.machine

    def start_floppy(self, path, *options, memory=64):
        """Boots from a floppy image, whose file stays as it is."""
        return self.start("-m", str(memory), "-snapshot", "-boot", "a",
                          "-drive", f"file={path},format=raw,if=floppy", *options)

    def guest(self, name):
        """The path of a guest image or of its reference picture."""
        folder = os.environ.get("REPRISE_GUESTS")
        if not folder:
            folder = os.path.join(os.path.dirname(REPOSITORY), "shared", "guests")
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            raise Skip(f"{path} is missing; REPRISE_GUESTS names the folder of the guests")
        return path

    def copy(self, name):
        """A copy of a guest image that may be written; .gz files are unpacked."""
        source = self.guest(name)
        target = os.path.join(self.folder, os.path.basename(name).removesuffix(".gz"))
        with (gzip.open if name.endswith(".gz") else open)(source, "rb") as packed:
            with open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
        return target

    def own_image(self, name):
        """An image that the build assembled."""
        path = os.path.join(os.path.dirname(os.path.abspath(self.emulator)), "roms", name)
        if self.is_qemu:
            path = os.path.join(REPOSITORY, "build", "release", "roms", name)
        if not os.path.exists(path):
            raise Skip(f"{path} is missing; build the project")
        return path


def check(condition, message):
    if not condition:
        raise vm.VmError(message)


def mtools(command, image, *arguments, offset=0):
    """Runs one of mtools on an image and returns its output; '::NAME' is a file in the image."""
    if not shutil.which(command):
        raise Skip(f"{command} is missing (Debian: apt install mtools)")
    drive = f"{image}@@{offset}" if offset else image
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    result = subprocess.run([command, "-i", drive, *arguments], capture_output=True,
                            env=environment, check=False)
    check(result.returncode == 0, f"{command} {' '.join(arguments)}: {result.stderr.decode()}")
    return result.stdout


def _run_case(name, body, args):
    """Returns 'passed', 'failed' or 'skipped'."""
    folder = tempfile.mkdtemp(prefix="guest-case-")
    context = Context(args.emu, args.accel, folder)
    start, outcome = time.monotonic(), "passed"
    try:
        body(context)
    except (Skip, fetch_packages.PackageMissing) as reason:
        outcome = "skipped"
        print(f"{name}: {reason}")
    except Exception as error:  # whatever went wrong, the other cases still run
        outcome = "failed"
        if not isinstance(error, vm.VmError):
            traceback.print_exc(file=sys.stdout)
        print(f"{name}: {error}")
        if context.machine:
            print(context.machine.describe())
    finally:
        if context.machine:
            context.machine.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{outcome:8} {name} ({args.accel}, {time.monotonic() - start:.1f} s)", flush=True)
    return outcome


def run_cases():
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--emu", default=os.path.join(REPOSITORY, "build/release/reprise"))
    parser.add_argument("--accel", default="jit", choices=["jit", "interp"])
    parser.add_argument("--only", default="", help="names of cases, separated by commas")
    parser.add_argument("--long", action="store_true", default=os.environ.get("REPRISE_LONG") == "1",
                        help="run the cases that take long, too")
    args = parser.parse_args()
    wanted = [name for name in args.only.split(",") if name]
    unknown = set(wanted) - {name for name, _, _ in _cases}
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are "
                     + ", ".join(name for name, _, _ in _cases))
    if not shutil.which(args.emu):
        print(f"{args.emu} is missing; build the project or give --emu")
        sys.exit(EXIT_SKIPPED)
    args.emu = shutil.which(args.emu)
    outcomes = [_run_case(name, body, args) for name, body, long in _cases
                if name in wanted or (not wanted and (args.long or not long))]
    if "failed" in outcomes:
        sys.exit(1)
    sys.exit(0 if "passed" in outcomes else EXIT_SKIPPED)
