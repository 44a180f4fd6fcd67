#!/usr/bin/env python3
"""The static program needs nothing of its host: in a folder that holds only it, the firmware and a guest, with the root
directory there, it runs a script and boots, and its state hashes are those of the usual program.

    tests/hosts/alone.py PRESET PROGRAM ROMS

PRESET is 'static' or 'musl'; it is built in build/PRESET, in long runs (REPRISE_LONG=1) or where it has been built before.
Status 77: that cannot be done here."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import same_hashes  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SCRIPT = '''
local m = machine("-m 16 -L . -fda demo.img")
m:wait_text("Arrow keys")
m:type("g")
m:wait(1)
print("hash " .. m:hash())
'''


def build(preset):
    if preset == "musl":
        return same_hashes.build(preset, "reprise")
    folder = os.path.join(TOP, "build", preset)
    if not same_hashes.LONG and not os.path.exists(os.path.join(folder, "reprise")):
        same_hashes.skip(f"build/{preset} is not there: cmake --preset {preset} && cmake --build --preset {preset} --target reprise")
    for command in (["cmake", "--preset", preset], ["cmake", "--build", folder, "--target", "reprise"]):
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"FAIL {' '.join(command)}: {(done.stdout + done.stderr)[-3000:]}")
    return folder


def change_root(folder):
    """The words before a program that shall see nothing but this folder."""
    if os.geteuid() == 0:
        return ["chroot", folder]
    words = ["unshare", "--user", "--map-root-user", "chroot", folder]
    if not shutil.which("unshare") or subprocess.run([*words[:3], "true"], capture_output=True, check=False).returncode != 0:
        same_hashes.skip("neither root nor allowed to unshare")
    return words


def hash_of(words, folder):
    done = subprocess.run([*words, "test", "script.lua"], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith("hash ")), None)
    if done.returncode != 0 or line is None:
        sys.exit(f"FAIL {words}: {done.stdout}{done.stderr}")
    return line


def main():
    preset, native, roms = sys.argv[1], *map(os.path.abspath, sys.argv[2:4])
    program = os.path.join(build(preset), "reprise")
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if "not a dynamic executable" not in told.stdout + told.stderr:
        sys.exit("FAIL: it is linked to " + told.stdout)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(program, folder)
        shutil.copy(os.path.join(roms, "demo.img"), folder)
        for name in ("bios-256k.bin", "vgabios-stdvga.bin"):
            path = os.path.join("/usr/share/seabios", name)
            if not os.path.exists(path):
                same_hashes.skip(f"{path} is missing (Debian: seabios)")
            shutil.copy(path, folder)
        with open(os.path.join(folder, "script.lua"), "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        alone, usual = hash_of([*change_root(folder), "/reprise"], folder), hash_of([native], folder)
        if alone != usual:
            sys.exit(f"FAIL: {alone}, and usually {usual}")
        said = subprocess.run([*change_root(folder), "/reprise", "-L", ".", "-fda", "demo.img", "-snapshot", "-display", "none", "-serial", "null",
                               "-monitor", "stdio"], input="info version\nquit\n", capture_output=True, text=True, timeout=60, check=False)
        if said.returncode != 0 or "Reprise" not in said.stdout:
            sys.exit(f"FAIL: {said.stdout}{said.stderr}")
    print("ok  ", alone)


if __name__ == "__main__":
    main()
