#!/usr/bin/env python3
"""A failing test leaves a recording of its machine, whatever the script did with it, and the last line printed is the
command that replays it: to the same state and the same screen."""
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
IMAGE = os.path.join(os.environ.get("REPRISE_GUESTS", ""), "freedos-1440.img")
FIRMWARE = ["/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"]

# Each test fails; what its recording ends with.
SAME = "the state at the end is the recorded one"
TESTS = {
    "typed": ("""
  local m = machine(OPTIONS)
  m:wait_text("FreeDOS", {timeout=60})
  m:key("enter")
  m:wait(2)
  m:key("enter")
  m:type("dir\\n")
  m:wait(2)
  m:key("ctrl-c", {hold=0.02})
  m:save("booted")""", SAME),
    "written": ("""
  local m = boot()
  m:write(0x500, ("x"):rep(5000))
  m:wait(1)""", SAME),
    "file put": ("""
  local m = boot()
  m:put_file("floppy0", "NEW.TXT", "text")
  m:wait(1)""", "changed by 'm:put_file()'"),
    "medium changed": ("""
  local m = boot()
  m:eject("floppy0")
  m:wait(0.1)
  m:change("floppy0", IMAGE)
  m:type("dir\\n")
  m:wait(2)""", SAME),
    "cloned": ("""
  local m = boot()
  m:type("echo one\\n")
  local clone = m:clone()
  m:type("echo two\\n")
  m:close()
  clone:type("echo three\\n")
  local second = clone:clone()
  clone:close()
  second:type("echo four\\n")
  second:wait(1)""", SAME),
    "restored": ("""
  local m = boot()
  local first = m:checkpoint()
  m:type("echo one\\n")
  local second = m:checkpoint()
  m:write(0x500, "x")
  m:type("echo two\\n")
  m:restore(first)
  m:type("echo three\\n")
  m:restore(second)
  m:wait(0.2)
  m:type("echo four\\n")""", SAME),
    "restored from before a break": ("""
  local m = boot()
  local first = m:checkpoint()
  m:put_file("floppy0", "NEW.TXT", "text")
  m:restore(first)
  m:type("dir\\n")""", SAME),
    "from a snapshot": ("""
  local m = boot()
  m:type("echo one\\n")
  m:save("here")
  m:type("echo two\\n")
  m:load("here")
  m:type("echo three\\n")
  m:wait(0.5)""", SAME),
    "snapshot at the start": ("""
  local m = machine(OPTIONS .. " -loadvm here")
  m:type("echo five\\n")
  m:wait(0.5)""", SAME),
    "crashed": ("""
  local m = machine("-fda crash.img -boot a -m 16 -nic none")
  m:wait(5)""", SAME),
    "reset": ("""
  local m = boot()
  m:reset()
  m:wait(0.3)""", SAME),
}

SCRIPT = """
IMAGE = "{image}"
OPTIONS = "-fda {image} -boot a -m 16 -nic none -snapshots states"
function boot()
  return machine(OPTIONS .. " -loadvm booted")
end
"""


def run(folder, *words):
    return subprocess.run([PROGRAM, *words], cwd=folder, capture_output=True, text=True, timeout=200, check=False)


def check(folder, out, name, end):
    own = os.path.join(folder, "reprise-failures", name.replace(" ", "-"))
    path = os.path.join(own, "run.recording")
    assert os.path.exists(path), (name, os.listdir(own), out)
    with open(os.path.join(own, "replay.txt"), encoding="utf-8") as file:
        assert file.read().endswith(f"replay reprise-failures/{name.replace(' ', '-')}/run.recording\n")
    told = run(folder, "replay", path, "--screen", "screen.png")
    assert told.returncode == 0 and end in told.stdout, (name, told)
    assert int(told.stdout.split()[0]) > 1000000, (name, told)
    if end != SAME:
        return
    with open(os.path.join(folder, "screen.png"), "rb") as first, open(os.path.join(own, "screen.png"), "rb") as second:
        assert first.read() == second.read(), f"{name}: the replay ends with another screen"


def cases_have_their_own(folder):
    with open(os.path.join(folder, "cases.lua"), "w", encoding="ascii") as file:
        file.write(SCRIPT.format(image=IMAGE) + """
test("several", function()
  cases(boot(), {"one", "two", "three"}, function(m, word)
    m:type("echo " .. word .. "\\n")
    m:wait(0.2)
    error("on purpose")
  end)
end)
""")
    out = run(folder, "test", "--jobs", "2", "cases.lua").stdout
    found = []
    for parent, _, names in os.walk(os.path.join(folder, "reprise-failures")):
        found += [os.path.join(parent, "run.recording")] * ("run.recording" in names and "several" in parent)
    assert len(found) == 3, (found, out)
    for path in found:
        told = run(folder, "replay", path)
        assert told.returncode == 0 and SAME in told.stdout, (path, told)


def one_of_several_machines_is_named(folder):
    with open(os.path.join(folder, "two.lua"), "w", encoding="ascii") as file:
        file.write(SCRIPT.format(image=IMAGE) + """
local first, second = boot(), boot()
first:type("dir\\n")
second:wait(0.1)
error("on purpose")
""")
    out = run(folder, "test", "--out", "my folder", "two.lua").stdout
    last = out.splitlines()[-1]
    assert last == "reprise replay 'my folder/two/machine2/run.recording'", out
    for machine in ("machine1", "machine2"):
        told = run(folder, "replay", f"my folder/two/{machine}/run.recording")
        assert told.returncode == 0 and SAME in told.stdout, told


def main():
    if not os.path.exists(IMAGE) or not any(map(os.path.exists, FIRMWARE)):
        print("skipped: no guest, or no firmware")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "crash.img"), "wb") as file:
            # cli / lidt [7C10h], which is zero / int3
            file.write((bytes.fromhex("fa0f011e107ccc").ljust(510, b"\0") + b"\x55\xaa").ljust(1440 * 1024, b"\0"))
        with open(os.path.join(folder, "fails.lua"), "w", encoding="ascii") as file:
            file.write(SCRIPT.format(image=IMAGE))
            for name, (body, _) in TESTS.items():
                file.write(f'test("{name}", function(){body}\n  error("on purpose")\nend)\n')
        out = run(folder, "test", "fails.lua").stdout
        last = list(TESTS)[-1]
        assert "CRASHED    crashed" in out, out
        assert out.splitlines()[-1] == f"reprise replay reprise-failures/{last}/run.recording", out
        for name, (_, end) in TESTS.items():
            check(folder, out, name, end)
            print("ok    " + name)
        cases_have_their_own(folder)
        print("ok    cases")
        one_of_several_machines_is_named(folder)
        print("ok    several machines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
