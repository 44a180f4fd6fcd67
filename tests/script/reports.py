#!/usr/bin/env python3
"""What 'reprise test' tells: lines, TAP, JUnit, exit status, folders of failing tests.

    reports.py REPRISE
"""
import os
import pty
import re
import resource
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

REPRISE = os.path.abspath(sys.argv[1])
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reports")
LIBRARY = os.path.dirname(SCRIPTS)
ENVIRONMENT = dict(os.environ, LUA_PATH=os.path.join(LIBRARY, "?.lua") + ";;")
with open(os.path.join(SCRIPTS, "mixed.lua"), encoding="utf-8") as mixed:
    FAILING_LINE = "mixed.lua:%d" % next(number for number, line in enumerate(mixed, 1) if "check_equal(" in line)
# Of the file mixed.lua: name, how it ends, the kind in reports.
BAD_NAME = "fails <a> & \"b\" 'c' # d \\ e"
MIXED = [
    ("passes", "ok", None),
    (BAD_NAME, "FAILED", "fail"),
    ("is skipped # here", "skipped", None),
    ("has a slip", "FAILED", "fail"),
    ("times out", "TIMED OUT", "timeout"),
    ("hangs", "TIMED OUT", "hang"),
    ("crashes", "CRASHED", "crash"),
    ("two machines", "FAILED", "fail"),
    ("some cases / good", "ok", None),
    ("some cases / bad", "FAILED", "fail"),
    ("some cases / also good", "ok", None),
    ("some cases", "FAILED", "fail"),
]
ALWAYS = {"script.txt", "command.txt", "events.log"}
OF_MACHINE = {"screen.png", "screen.txt", "registers.txt", "backtrace.txt", "devices.txt", "serial0.log"}


def run(folder, *arguments, timeout=120):
    """Runs 'reprise test' in the folder; gives (status, stdout, stderr) with bytes as Latin-1."""
    done = subprocess.run([REPRISE, "test", *arguments], cwd=folder, env=ENVIRONMENT, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def script(name):
    return os.path.join(SCRIPTS, name)


def expect(condition, *shown):
    if not condition:
        raise AssertionError("\n".join(str(part) for part in shown))


def without_times(text):
    return re.sub(r"\d+\.\d+ s", "T s", text)


def test_lines(folder):
    status, out, err = run(folder, script("mixed.lua"))
    expect(status == 3, "a crash counts more than a time-out and a failure", status, out, err)
    expect("\033" not in out + err and "\r" not in out + err, "no control codes without a terminal")
    lines = out.split("\n")
    for name, outcome, _ in MIXED:
        found = [line for line in lines if line.startswith(f"{outcome:<10} {name} (")]
        expect(len(found) == 1, f"one line for {name!r}", out)
    expect("    in step 'look > closely'" in lines, out)
    expect(FAILING_LINE + ": with <context>: at [2][2]: got \"x\\x01y\", expected \"z\"" in out, out)
    expect("    in step 'in vain'" in lines, out)
    expect("1 of 3 cases failed: bad" in out, out)
    expect(re.search(r"^3 passed, 8 failed, 1 skipped in ", out, re.M), out)


def test_tap(folder):
    status, out, _ = run(folder, "--tap", script("mixed.lua"))
    expect(status == 3, status)
    lines = out.split("\n")
    expect(lines[0] == "TAP version 13" and "1..12" in lines, out)
    results = [re.fullmatch(r"(not )?ok (\d+) - (.*?)(?: # SKIP (.*))?", line) for line in lines]
    results = [match for match in results if match]
    expect(len(results) == len(MIXED), out)
    for number, (match, (name, outcome, kind)) in enumerate(zip(results, MIXED), 1):
        told = re.sub(r"\\(.)", r"\1", match[3])
        expect(told == name and int(match[2]) == number, match[0], name)
        expect(bool(match[1]) == (outcome not in ("ok", "skipped")), match[0])
        expect((match[4] is not None) == (outcome == "skipped"), match[0])
        if kind:
            block = out[match.string and out.index(match[0]):].split("\n  ...\n")[0]
            expect(f'\n  kind: "{kind}"' in block and "\n  message: " in block, block)


def test_junit(folder):
    run(folder, "--junit", "report.xml", script("mixed.lua"), script("plain.lua"))
    root = ElementTree.parse(os.path.join(folder, "report.xml")).getroot()
    expect(root.tag == "testsuites", root.tag)
    suites = list(root)
    expect([os.path.basename(suite.get("name")) for suite in suites] == ["mixed.lua", "plain.lua"], suites)
    check_junit_suite(suites[0])
    expect(root.get("tests") == "13" and root.get("failures") == "8" and root.get("errors") == "0", root.attrib)
    cases = {case.get("name"): case for case in suites[0]}
    failure = cases[BAD_NAME].find("failure")
    expect(FAILING_LINE in failure.get("message") and failure.get("type") == "fail", failure.attrib)
    expect("in step look > closely" in failure.text, failure.text)
    # What came from the port holds bytes that XML cannot: they are replaced, the rest is there.
    output = cases[BAD_NAME].find("system-out").text
    expect("to COM1: <&]]>\ufffd\ufffd\n" in output, repr(output))
    expect("step look" in output and "step closely" in output, output)
    expect(cases["crashes"].find("failure").get("type") == "crash", "the kind is there")
    expect(cases["is skipped # here"].find("skipped").get("message") == "for a reason", "the reason is there")


def check_junit_suite(suite):
    """The rules of the schema that Jenkins and others publish, as far as this report uses it."""
    allowed = {"testcase": {"skipped", "failure", "error", "system-out", "system-err"}}
    counts = {"failure": 0, "error": 0, "skipped": 0}
    for case in suite:
        expect(case.tag == "testcase" and case.get("name") and case.get("classname"), case.attrib)
        expect(re.fullmatch(r"\d+\.\d+", case.get("time")), case.attrib)
        for child in case:
            expect(child.tag in allowed["testcase"], child.tag)
            if child.tag in counts:
                counts[child.tag] += 1
    expect(int(suite.get("tests")) == len(suite), suite.attrib)
    expect([int(suite.get(name)) for name in ("failures", "errors", "skipped")] == list(counts.values()), counts)


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read().decode("utf-8", "replace")


def check_machine_files(folder):
    missing = OF_MACHINE - set(os.listdir(folder))
    expect(not missing, folder, missing)
    with open(os.path.join(folder, "screen.png"), "rb") as file:
        picture = file.read()
    expect(picture.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" in picture[-12:], "a whole PNG file")
    expect("EAX=" in read(folder, "registers.txt"), "registers")
    trace = read(folder, "backtrace.txt")
    expect("real mode" in trace and "#0  " in trace and "the stack at" in trace, trace)
    expect("mc146818" in read(folder, "devices.txt"), "devices")


def test_folders(folder):
    _, out, _ = run(folder, script("mixed.lua"))
    base = os.path.join(folder, "reprise-failures")
    expected = {"fails-a-b-c-d-e", "has-a-slip", "times-out", "hangs", "crashes", "two-machines", "some-cases-bad"}
    expect(set(os.listdir(base)) == expected, os.listdir(base))
    for name in expected:
        missing = ALWAYS - set(os.listdir(os.path.join(base, name)))
        expect(not missing, name, missing)
        expect(f"    see reprise-failures/{name}\n" in out, out)
    for name in ("fails-a-b-c-d-e", "times-out", "hangs", "crashes", "some-cases-bad"):
        check_machine_files(os.path.join(base, name))
    for name in ("machine", "other"):
        both = os.path.join(base, "two-machines")
        found = [entry for entry in os.listdir(both) if entry.startswith(name)]
        expect(len(found) == 1, os.listdir(both))
        check_machine_files(os.path.join(both, found[0]))
    expect("to COM1: <&]]>" in read(base, "fails-a-b-c-d-e", "serial0.log"), "the serial log")
    about = read(base, "fails-a-b-c-d-e", "script.txt")
    expect("step: look > closely" in about and "stack traceback" in about and FAILING_LINE in about, about)
    events = read(base, "times-out", "events.log")
    expect(re.search(r"^ +\d+\.\d{9} +\d+ +machine\d+ +wait_text\(\"never there\", \{timeout = 1\}\)$", events, re.M), events)
    expect("step: in vain" in events, events)
    run(folder, "--filter", "times out", script("mixed.lua"))
    expect(set(os.listdir(base)) == expected | {"times-out-2"}, "an older folder is never written to", os.listdir(base))


def test_command_file(folder):
    """The command of each folder runs just that test, which ends as it did."""
    run(folder, "--out", "kept/here", "--var", "an=argument of words", script("mixed.lua"))
    base = os.path.join(folder, "kept", "here")
    for name in sorted(os.listdir(base)):
        command = os.path.join(base, name, "command.txt")
        done = subprocess.run(["sh", command], env=ENVIRONMENT, stdout=subprocess.PIPE, check=False)
        out = done.stdout.decode("utf-8", "replace")
        title = re.search(r"^test: (.*)$", read(base, name, "script.txt"), re.M)[1]
        failed = [line for line in out.split("\n") if re.match(r"[A-Z][A-Z ]+  *\S", line)]
        expect(any(f" {title} (" in line for line in failed), title, out)
        count = 2 if " / " in title else 1
        expect(f"0 passed, {count} failed in" in out, title, out)
    words = shlex.split(read(base, "hangs", "command.txt"), comments=False)
    expect("an=argument of words" in words, words)


def test_jobs(folder):
    outputs = [run(folder, "--jobs", str(jobs), script("hashes.lua")) for jobs in (1, 2, 5)]
    for status, out, err in outputs:
        expect(status == 0 and out.count("hash\t") == 20, status, out, err)
        expect(without_times(out) == without_times(outputs[0][1]), "the same for every number of jobs", out, outputs[0][1])
    several = [script(name) for name in ("first.lua", "mixed.lua", "plain.lua", "broken.lua", "first.lua")]
    one, two = (without_times(run(folder, "--tap", "--out", jobs, "--jobs", jobs, *several)[1]) for jobs in ("1", "2"))
    plain = [re.sub(r"duration_ms: [\d.]+|folder: .*", "", text) for text in (one, two)]
    expect(plain[0] == plain[1], "files that run at the same time are told in order", *plain)


def test_printing(folder):
    """What scripts print comes in the order of the tests, is no result in TAP, and part of JUnit's report."""
    name = script("printing.lua")
    expected = ["top\t1\tnil", "in a", "ok 99 - no", "ok a", "between", "case 1", "ok cases / 1", "case 2",
                "FAILED cases / 2", "case 3", "ok cases / 3", "FAILED cases", "end"]
    for jobs in ("1", "3"):
        _, out, _ = run(folder, "--jobs", jobs, name, name)
        expect(re.fullmatch(r"reprise replay reprise-failures/\S+/run.recording", out.split("\n")[-2]), out)
        lines = [line for line in out.split("\n")[:-3] if not line.startswith("    ")]
        lines = [re.sub(r"^(\w+) +(?:/.*?: )?(.*) \(.*\)$", r"\1 \2", line) for line in lines]
        expect(lines == 2 * expected, lines)
    expect("a control character: . and .[31m" in out and "\033" not in out, repr(out))
    _, out, _ = run(folder, "--tap", "--junit", "x.xml", name)
    expect("# ok 99 - no" in out.split("\n") and "1..5" in out.split("\n"), out)
    cases = {case.get("name"): case for case in ElementTree.parse(os.path.join(folder, "x.xml")).iter("testcase")}
    expect(cases["a"].find("system-out").text == "in a\nok 99 - no\n", cases["a"].find("system-out").text)
    expect("case 3" in cases["cases / 3"].find("system-out").text, "a case's own lines")


def write_elf(path, symbols):
    """A 32-bit ELF file that has nothing but symbols: (name, address) of functions."""
    names, table = b"\0", bytes(16)
    for name, address in symbols:
        table += struct.pack("<IIIBBH", len(names), address, 0, 2, 0, 1)
        names += name.encode() + b"\0"
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, 3, 1, 0, 0, 52, 0, 52, 0, 0, 40, 3, 0)
    places = 52 + 3 * 40
    sections = bytes(40) + struct.pack("<10I", 0, 2, 0, 0, places, len(table), 2, 0, 4, 16)
    sections += struct.pack("<10I", 0, 3, 0, 0, places + len(table), len(names), 0, 0, 1, 0)
    with open(path, "wb") as file:
        file.write(header + sections + table + names)


def test_symbols(folder):
    write_elf(os.path.join(folder, "boot.elf"), [("start_of_boot", 0x7C00), ("far_above", 0x8000)])
    run(folder, "--symbols", "boot.elf", "--filter", "hangs", script("mixed.lua"))
    trace = read(folder, "reprise-failures", "hangs", "backtrace.txt")
    expect("#0  0000:7c02  start_of_boot+0x2" in trace, trace)
    status, _, err = run(folder, "--symbols", script("first.lua"), script("plain.lua"))
    expect(status == 2 and "--symbols: " in err and "neither an ELF file" in err, err)


def test_choice(folder):
    first, plain, broken = script("first.lua"), script("plain.lua"), script("broken.lua")
    status, out, _ = run(folder, "--list", first, plain)
    expect(status == 0 and [line.split(": ")[1] for line in out.splitlines()] == ["one", "two", "three", "plain"], out)
    for _ in range(10):
        status, out, _ = run(folder, "--list", "--jobs", "4", broken, script("printing.lua"), plain)
        names = [line.split(": ")[1] for line in out.splitlines() if ": " in line and " " != line[0] and "FAILED" not in line]
        expect(status == 1 and names == ["fine", "a", "cases", "plain"], "names in the order of the scripts", out)
        expect(re.search(r"^FAILED +.*broken", out, re.M), "a script that fails outside of tests is told", out)
    status, out, _ = run(folder, "--filter", "^t", first)
    expect(status == 1 and "1 passed, 1 failed" in out and " one " not in out, out)
    status, out, err = run(folder, "--filter", "four", first)
    expect(status == 2 and "--filter: no test has a name with 'four'" in err, status, err)
    status, out, err = run(folder, "--filter", "[t", first)
    expect(status == 2 and "is not a pattern" in out, status, out, err)
    status, out, _ = run(folder, "--fail-fast", "--jobs", "1", first, plain)
    expect(status == 1 and "1 passed, 1 failed in" in out and "three" not in out, out)
    status, out, _ = run(folder, "--repeat", "3", "--jobs", "2", first)
    expect(status == 1 and "6 passed, 3 failed" in out, out)
    expect(re.findall(r"(\w+ #\d) \(", out) == [f"{name} #{n}" for n in (1, 2, 3) for name in ("one", "two", "three")], out)
    status, out, _ = run(folder, plain)
    expect(status == 0 and re.match(r"ok +plain \(", out), out)
    status, out, _ = run(folder, broken)
    expect(status == 1 and re.search(r"^ok +fine", out, re.M) and re.search(r"^FAILED +broken", out, re.M), out)
    status, out, err = run(folder, "--junit", "no/such/folder/x.xml", plain)
    expect(status == 2 and "no/such/folder/x.xml" in err, status, err)


LIMIT = "4"  # a busy host gets to the endless case within it


def test_host_limit(folder):
    status, out, err = run(folder, "--time-limit", LIMIT, "--jobs", "2", "--var", "how=lua", script("endless.lua"))
    expect(status == 124, status, out, err)
    expect(re.search(r"^ok +before", out, re.M) and re.search(r"^HOST LIMIT endless / 2", out, re.M), out)
    status, out, err = run(folder, "--time-limit", LIMIT, "--junit", "x.xml", "--var", "how=library", script("endless.lua"))
    expect(status == 124 and "a test does not end" in err, status, out, err)
    expect(re.search(r"^ok +before", out, re.M), "what was found out is told", out)
    ElementTree.parse(os.path.join(folder, "x.xml"))


def test_progress(folder):
    """A line on a terminal: one, rewritten in place and gone at the end. Each case lasts for several of its rewritings."""
    primary, secondary = pty.openpty()
    with subprocess.Popen([REPRISE, "test", "--jobs", "1", "--var", "count=2", "--var", "more=1000000000",
                           script("hashes.lua")], cwd=folder, env=ENVIRONMENT,
                          stdout=subprocess.DEVNULL, stderr=secondary) as process:
        os.close(secondary)
        shown = b""
        while True:
            ready, _, _ = select.select([primary], [], [], 120)
            try:
                data = os.read(primary, 65536) if ready else b""
            except OSError:
                data = b""
            if not data:
                break
            shown += data
    os.close(primary)
    expect(process.returncode == 0, process.returncode)
    expect(re.search(rb"\r\d+ passed, 0 failed \| hashes / \S+.* \| guest \d+\.\d s, \d+\.\dx", shown), shown[-300:])
    expect(b"more" not in shown, "with one job nothing else goes on", shown[-300:])
    expect(b"\n" not in shown and shown.endswith(b"\r\x1b[K"), shown[-300:])


def test_many_cases(folder):
    """Hundreds of clones one after the other: what they had is given back."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    status, out, err = run(folder, "--jobs", "2", "--var", "count=300", script("hashes.lua"))
    expect(status == 0 and out.count("hash\t") == 300, status, out[-500:], err)
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    expect(after < max(before, 400 << 10), f"{after >> 10} MB at most")


def main():
    for name, function in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(folder)
            except AssertionError as problem:
                print(f"{name} failed:\n{problem}")
                sys.exit(1)
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
