#!/usr/bin/env python3
"""Does what frontend/script/TUTORIAL.md says, as a newcomer would, in an empty folder.

    tutorial.py REPRISE

A block of code is saved as the file that the text before it names last. A block 'sh' is run; what it prints must be
what the block 'text' after it says, but for times, and but for what stands there as '...'.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

REPRISE = os.path.abspath(sys.argv[1])
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "frontend", "script", "TUTORIAL.md")
NOT_INSTALLED = 77


def read_blocks(page):
    """Gives (language, content, text before it) of each block."""
    parts = re.split(r"^```(\w*)\n(.*?)^```\n", page, flags=re.M | re.S)
    for before, language, content in zip(parts[0::3], parts[1::3], parts[2::3]):
        yield language, content, before


def normalize(text):
    """Times differ from run to run; so do spaces at the ends of lines."""
    text = re.sub(r"\d+\.\d+ s", "T s", text)
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n"))


def matches(printed, expected):
    pattern = ".*".join(re.escape(part) for part in normalize(expected).split("..."))
    return re.fullmatch(pattern, normalize(printed)) is not None


def run(commands, folder, path):
    environment = dict(os.environ, PATH=path + os.pathsep + os.environ["PATH"])
    done = subprocess.run(["sh", "-c", commands], cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    return done.stdout.decode("utf-8", "replace")


def follow(page, folder, path):
    saved, ran, printed = 0, 0, None
    for language, content, before in read_blocks(page):
        if language == "sh":
            printed = run(content, folder, path)
            ran += 1
        elif language == "text":
            if not matches(printed, content):
                sys.exit(f"the page says:\n{content}\nbut this was printed:\n{printed}")
            printed = None
        elif language in ("nasm", "lua"):
            name = re.findall(r"`([\w.]+)`", before)[-1]
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
            saved += 1
    return saved, ran


def main():
    if shutil.which("nasm") is None:
        print("nasm is not installed")
        sys.exit(NOT_INSTALLED)
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as path:
        os.symlink(REPRISE, os.path.join(path, "reprise"))
        saved, ran = follow(page, folder, path)
        with open(os.path.join(folder, "report.xml"), encoding="utf-8") as report:
            if 'tests="6" failures="0"' not in report.read():
                sys.exit("the JUnit report does not tell of six tests")
    if saved < 3 or ran < 6:
        sys.exit(f"only {saved} files and {ran} commands were found on the page")
    print(f"{saved} files, {ran} commands: all as the page says")


if __name__ == "__main__":
    main()
