#!/usr/bin/env python3
"""Checks that what differs between the systems of hosts stands in memory/host/: no other source asks which system it is built
for, or includes a header that not every system has.

    check_hosts.py TOP_FOLDER | --self-test
"""
import os
import re
import sys
import tempfile

FOLDERS = ("memory", "cpu", "translator", "devices", "frontend", "roms")
HOST = os.path.join("memory", "host")
# Those of C11, and of POSIX's threads, which every system has here.
STANDARD = set("assert ctype errno fenv float inttypes limits locale math setjmp signal stdalign stdarg stdatomic stdbool stddef stdint "
               "stdio stdlib stdnoreturn string strings tgmath time uchar wchar wctype pthread sched semaphore libgen".split())
# Of libraries and of the compiler.
OTHERS = re.compile(r"(SDL|capstone/|elfutils/|dwarf|json-c/|json|lua|lauxlib|lualib|png|zlib|zstd|xxhash|reprise\.h$|libslirp|libnbd|adplug/|rfb/|"
                    r"immintrin|x86intrin|emmintrin|arm_neon|cpuid)")
INCLUDE = re.compile(r"^\s*#\s*include\s+<([^>]+)>")
SYSTEM = re.compile(r"\b(_WIN32|_WIN64|__APPLE__|__linux__|__FreeBSD__|__OpenBSD__|__NetBSD__|__MINGW\w+__|__unix__|__MSYS__)\b")


def sources(top):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(top, folder)):
            if os.path.relpath(path, top) != HOST:
                for name in sorted(names):
                    if name.endswith((".c", ".h", ".def", ".cc", ".cpp")):
                        yield os.path.join(path, name)


def check(top):
    """Lists what breaks the rule, one line each."""
    problems = []
    for path in sources(top):
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                where = f"{os.path.relpath(path, top)}:{number}"
                include = INCLUDE.match(line)
                if include and include.group(1).removesuffix(".h") not in STANDARD and not OTHERS.match(include.group(1)):
                    problems.append(f"{where}: <{include.group(1)}> is not on every system: a header of memory/host/ stands for it")
                system = SYSTEM.search(line)
                if system:
                    problems.append(f"{where}: {system.group(1)}: what is one system's stands in memory/host/")
    return problems


def self_test():
    with tempfile.TemporaryDirectory() as top:
        for path, text in (("memory/host/host_file.h", "#include <unistd.h>\n#ifdef _WIN32\n#endif\n"),
                           ("devices/good.c", "#include <stdio.h>\n#include <pthread.h>\n#include <zlib.h>\n"),
                           ("devices/bad.c", "#include <poll.h>\n#ifdef __APPLE__\n#endif\n"),
                           ("frontend/main/bad.c", "#  include <sys/mman.h>\n")):
            os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
            with open(os.path.join(top, path), "w", encoding="utf-8") as file:
                file.write(text)
        assert len(check(top)) == 3, check(top)
    print("self-test passed")


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    problems = check(sys.argv[1])
    print("\n".join(problems) or "what differs between systems stands in memory/host/")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
