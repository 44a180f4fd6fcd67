#!/usr/bin/env python3
"""The installed library: its header is clean C and C++, its archive has no other names, and the example, built by what
pkg-config says, runs.

    installed.py BUILD_FOLDER COMPILER
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def output_of(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, **options)
    if done.returncode != 0:
        sys.exit(f"FAILED {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def install(build, folder):
    output_of("cmake", "--install", build, "--component", "development", "--prefix", folder)
    return {name: os.path.join(top, name) for top, _, names in os.walk(folder) for name in names}


def check_header(header, folder):
    """Alone, under the strictest rules, in both languages."""
    for compiler, language, flags in (("cc", "c", ["-std=c11"]), ("c++", "c++", ["-std=c++11"])):
        if shutil.which(compiler):
            source = os.path.join(folder, "alone." + language)
            with open(source, "w", encoding="utf-8") as file:
                file.write('#include <reprise.h>\n')
            output_of(compiler, "-x", language, *flags, "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                      "-I", os.path.dirname(header), source)


def check_names(header, archive):
    with open(header, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    declared = set(re.findall(r"\b(reprise_[a-z_0-9]+)\(", text))
    defined = {line.split()[-1] for line in output_of("nm", "-g", "--defined-only", archive).splitlines() if len(line.split()) == 3}
    if declared != defined or len(declared) < 40:
        sys.exit(f"FAILED: declared or defined alone: {sorted(declared ^ defined)}")


def main():
    build, compiler = sys.argv[1:3]
    for tool in ("pkg-config", "nm"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is missing")
            return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        files = install(build, os.path.join(folder, "there"))
        # an installed tree can be moved
        os.rename(os.path.join(folder, "there"), os.path.join(folder, "here"))
        files = {name: path.replace(os.path.join(folder, "there"), os.path.join(folder, "here")) for name, path in files.items()}
        check_header(files["reprise.h"], folder)
        check_names(files["reprise.h"], files["libreprise.a"])
        flags = output_of("pkg-config", "--cflags", "--libs", "reprise",
                          env={**os.environ, "PKG_CONFIG_PATH": os.path.dirname(files["reprise.pc"])}).split()
        example = os.path.join(folder, "example")
        # an own function of a name that the emulator uses inside, too
        with open(os.path.join(folder, "own.c"), "w", encoding="utf-8") as file:
            file.write("int machine_create(void);\nint machine_create(void) { return 1; }\n")
        output_of(*compiler.split(";"), "-Wall", "-Wextra", "-Werror", files["example.c"], os.path.join(folder, "own.c"), *flags, "-o", example)
        said = output_of(example, os.path.join(build, "roms", "demo.img"), "Arrow keys", "t", cwd=folder)
        if said.count("Arrow keys") != 2 or len(set(re.findall("state ([0-9a-f]{16})", said))) != 1:
            sys.exit("FAILED: the example says\n" + said)
        refused = subprocess.run([example, "/nonexistent", "A", "b"], capture_output=True, text=True, check=False, timeout=120)
        if refused.returncode != 1 or "/nonexistent" not in refused.stderr:
            sys.exit("FAILED: the example takes an image that is not there")
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
