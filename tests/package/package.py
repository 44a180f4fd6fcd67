#!/usr/bin/env python3
"""The Debian package, unpacked: the program in it runs, and its manual pages, completion and menu entry tell the truth.

    package.py PROGRAM CPACK_CONFIG
"""
import configparser
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

SKIPPED = 77
OWN_TYPES = ["application/x-reprise-hard-disk", "application/x-reprise-machine"]


def output_of(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=120, **options).stdout


def options_of(help_text):
    return set(re.findall(r"^  (?:-\w, )?(--?[\w-]+)", help_text, re.MULTILINE))


def check_program(root, failures):
    program = os.path.join(root, "usr/bin/reprise")
    if "Reprise" not in output_of(program, "-version"):
        failures.append("the installed program does not tell its version")
    # the demo disk is found beside it; the guest is given a moment to start from it
    process = subprocess.Popen([program, "demo", "-display", "none", "-monitor", "stdio", "-serial", "none"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    told, _ = process.communicate("info block\nquit\n", timeout=120)
    if "demo.img" not in told:
        failures.append("the installed demo does not start: " + told)


def check_manual(root, program, failures):
    folder = os.path.join(root, "usr/share/man/man1")
    listed = {
        "reprise.1": options_of(output_of(program, "-help")),
        "reprise-test.1": options_of(output_of(program, "test", "--help")),
        "reprise-image.1": options_of(output_of(program, "image", "convert", "--help")),
    }
    for name, options in listed.items():
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as file:
            page = file.read().replace("\\-", "-")
        lost = [option for option in options if not re.search(r"^\.B.* ?" + re.escape(option) + r"\b", page, re.MULTILINE)]
        if lost or not options:
            failures.append(f"{name} lacks {sorted(lost)}")
        if re.search(r"@[A-Z]+", page):
            failures.append(f"{name} has a place that was not filled in")
        if shutil.which("groff"):
            complaints = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", path], capture_output=True, text=True,
                                        check=False).stderr
            if complaints:
                failures.append(f"groff on {name}: {complaints}")


def complete(root, program, *words):
    """What bash offers for the last of the words."""
    script = os.path.join(root, "usr/share/bash-completion/completions/reprise")
    quoted = " ".join(f"'{word}'" for word in (program, *words))
    return output_of("bash", "-c", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
                                   '_reprise; printf "%s\\n" "${COMPREPLY[@]}"').split()


def check_completion(root, program, failures):
    for words, wanted, unwanted in (
            (["-cp"], "-cpu", "-m"), (["-cpu", "pent"], "pentium3", "486"), (["-device", "isa-d"], "isa-debug-exit", "nvme"),
            (["im"], "image", "test"), (["image", "con"], "convert", "create"), (["image", "convert", "--sal"], "--salvage", "-p"),
            (["test", "--ju"], "--junit", "--tap"), (["dos.img", "-ico"], "-icount", "-rtc")):
        offered = complete(root, program, *words)
        if wanted not in offered or unwanted in offered:
            failures.append(f"completion of {words}: {offered}")


def check_menu_entry(root, failures):
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(os.path.join(root, "usr/share/applications/reprise.desktop"), encoding="utf-8")
    section = entry["Desktop Entry"]
    types = section["MimeType"].strip(";").split(";")
    described = ElementTree.parse(os.path.join(root, "usr/share/mime/packages/reprise.xml")).getroot()
    own = [element.get("type") for element in described]
    if own != OWN_TYPES or not set(own) <= set(types):
        failures.append(f"the types of images differ: {own}, {types}")
    icon = os.path.join(root, f"usr/share/icons/hicolor/scalable/apps/{section['Icon']}.svg")
    if not ElementTree.parse(icon).getroot().tag.endswith("svg"):
        failures.append("the icon is none")
    if not os.path.exists(os.path.join(root, "usr/bin", section["TryExec"])):
        failures.append("the menu entry starts nothing")


def main():
    program, config = sys.argv[1:3]
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "cpack"):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed (Debian: dpkg-dev, cmake)")
            return SKIPPED
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        output_of("cpack", "--config", config, "-B", folder)
        package = glob.glob(os.path.join(folder, "reprise_*.deb"))[0]
        root = os.path.join(folder, "root")
        output_of("dpkg-deb", "-x", package, root)
        needed = output_of("dpkg-deb", "-f", package, "Depends")
        if "seabios" not in needed or "libc6" not in needed:
            failures.append("the package depends on " + needed)
        check_program(root, failures)
        check_manual(root, program, failures)
        check_completion(root, program, failures)
        check_menu_entry(root, failures)
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
