#!/usr/bin/env python3
"""Two builds of the same sources in two folders are the same program and the same package, byte for byte.

    reproducible.py SOURCE_FOLDER
"""
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
KEPT_OUT = shutil.ignore_patterns("build", ".git")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def build(source, folder):
    """The digests of program and package, built from a copy of the sources in 'folder'."""
    copy = os.path.join(folder, "source")
    shutil.copytree(source, copy, ignore=KEPT_OUT)
    output = os.path.join(copy, "build", "release")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "946684800", "CCACHE_DISABLE": "1"}
    for words in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release", "--target", "reprise", "manual_pages", "demo_image"],
                  ["cpack", "--config", os.path.join(output, "CPackConfig.cmake"), "-B", folder]):
        subprocess.run(words, cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
    packages = glob.glob(os.path.join(folder, "reprise_*.deb"))
    return digest(os.path.join(output, "reprise")), digest(packages[0])


def main():
    if shutil.which("dpkg-shlibdeps") is None:
        print("skipped: dpkg-shlibdeps is not installed (Debian: dpkg-dev)")
        return SKIPPED
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory(prefix="another-name-") as second:
        one, other = build(sys.argv[1], first), build(sys.argv[1], second)
    for name, a, b in zip(("program", "package"), one, other):
        print(f"{name}: {'same' if a == b else 'FAILED: differs'}")
    return 0 if one == other else 1


if __name__ == "__main__":
    sys.exit(main())
