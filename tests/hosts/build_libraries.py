#!/usr/bin/env python3
"""Builds the few libraries that Reprise links, for hosts for which Debian has none: from Debian's sources, with the host's
compiler, as static libraries.

    tests/hosts/build_libraries.py riscv64|musl|windows ...

They go into build/hosts/TRIPLET, or where REPRISE_HOST_LIBRARIES says. Ends with status 77 if that cannot be done.
"""
import fcntl
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guests"))
import fetch_libraries  # noqa: E402
import fetch_packages  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))

# The first word of a tool chain file's name, the triplet of its folder, and what its tools are called.
HOSTS = {
    "riscv64": ("riscv64-linux-gnu", "riscv64-linux-gnu-gcc", "riscv64-linux-gnu-ar"),
    "musl": ("x86_64-linux-musl", "musl-gcc", "ar"),
    "windows": ("x86_64-w64-mingw32", "x86_64-w64-mingw32-gcc-posix", "x86_64-w64-mingw32-ar"),
}

# Source package: the library, what pkg-config calls it, sources but for those after "!", headers, their folder, flags.
PLAIN = {
    "zlib": ("z", "zlib", "adler32.c compress.c crc32.c deflate.c infback.c inffast.c inflate.c inftrees.c trees.c uncompr.c zutil.c",
             "zlib.h zconf.h", "", ""),
    "libzstd": ("zstd", "libzstd", "lib/common/*.c lib/compress/*.c lib/decompress/*.c", "lib/*.h", "",
                "-DZSTD_DISABLE_ASM -DXXH_NAMESPACE=ZSTD_"),
    "lua5.4": ("lua5.4", "lua5.4", "src/*.c !src/lua.c !src/luac.c", "src/lua*.h src/lauxlib.h", "lua5.4", ""),
    "libpng1.6": ("png", "libpng", "*.c !example.c !pngtest.c", "png*.h", "",
                  "-DPNG_ARM_NEON_OPT=0 -DPNG_INTEL_SSE_OPT=0"),
    "xxhash": ("xxhash", "libxxhash", "xxhash.c", "xxhash.h xxh3.h", "", ""),
}
# Those that have to find out about the host first, by CMake.
BY_CMAKE = {
    "check": ["-DCHECK_ENABLE_TESTS=OFF", "-DCHECK_ENABLE_SUBUNIT=OFF"],
    "json-c": ["-DBUILD_TESTING=OFF", "-DDISABLE_WERROR=ON", "-DBUILD_APPS=OFF"],
}


def library_folder(host):
    """Where the libraries of HOST stand as they would below /."""
    top = os.environ.get("REPRISE_HOST_LIBRARIES")
    return os.path.join(top or os.path.join(fetch_packages.REPOSITORY, "build", "hosts"), HOSTS[host][0])


def run(words, folder, **options):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise fetch_packages.PackageMissing(f"{' '.join(words)}: {(done.stdout + done.stderr)[-2000:]}")


def fetch_sources(folder):
    """Debian's sources of all these packages, unpacked; gives their folders."""
    apt = fetch_packages.Apt(os.path.join(folder, "apt"))
    lists = os.path.join(folder, "sources.list")
    with open("/etc/os-release", encoding="utf-8") as file:
        suite = dict(line.strip().split("=", 1) for line in file if "=" in line).get("VERSION_CODENAME", "stable")
    with open(lists, "w", encoding="utf-8") as file:
        file.write(f"deb-src http://deb.debian.org/debian {suite} main\n")
    apt.options += ["-o", f"Dir::Etc::sourcelist={lists}", "-o", "Dir::Etc::sourceparts=-"]
    apt.update()
    run(["apt-get", *apt.options, "-q", "--download-only", "source", *PLAIN, *BY_CMAKE], folder)
    folders = {}
    for name in [*PLAIN, *BY_CMAKE]:
        archive = next(path for path in glob.glob(os.path.join(folder, name + "_*.orig.tar.*")) if not path.endswith(".asc"))
        folders[name] = os.path.join(folder, "source", name)
        os.makedirs(folders[name])
        run(["tar", "-xf", archive, "--strip-components=1", "-C", folders[name]], folder)
    return folders


def select(source, patterns):
    """The files that the patterns name, but for those after '!'."""
    words = patterns.split()
    without = {os.path.join(source, word[1:]) for word in words if word.startswith("!")}
    found = [path for word in words if not word.startswith("!") for path in sorted(glob.glob(os.path.join(source, word)))]
    return [path for path in found if path not in without]


def build_plain(host, name, source, root):
    triplet, compiler, archiver = HOSTS[host]
    library, package, sources, headers, folder, flags = PLAIN[name]
    if name == "libpng1.6":
        shutil.copy(os.path.join(source, "scripts", "pnglibconf.h.prebuilt"), os.path.join(source, "pnglibconf.h"))
    include = os.path.join(root, "usr", "include")
    target = os.path.join(root, "usr", "lib", triplet)
    os.makedirs(os.path.join(include, folder), exist_ok=True)
    os.makedirs(os.path.join(target, "pkgconfig"), exist_ok=True)
    run([compiler, "-O2", "-g", "-fPIC", "-ffile-prefix-map=" + source + "=" + name, "-c", "-I", source,
         "-I", include, *flags.split(), *select(source, sources)], source)
    run([archiver, "rcs", os.path.join(target, f"lib{library}.a"), *select(source, "*.o")], source)
    for header in select(source, headers):
        shutil.copy(header, os.path.join(include, folder))
    with open(os.path.join(target, "pkgconfig", package + ".pc"), "w", encoding="utf-8") as file:
        file.write(f"Name: {package}\nDescription: {name} of Debian, static\nVersion: 1\n"
                   f"Cflags: -I/usr/include/{folder}\nLibs: -L/usr/lib/{triplet} -l{library}{' -lz' if name == 'libpng1.6' else ''} -lm\n")


def build_by_cmake(host, name, source, root):
    triplet = HOSTS[host][0]
    folder = os.path.join(source, "build")
    run(["cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=OFF",
         "-DCMAKE_INSTALL_PREFIX=/usr", f"-DCMAKE_INSTALL_LIBDIR=lib/{triplet}", "-DCMAKE_POLICY_VERSION_MINIMUM=3.5",
         f"-DCMAKE_TOOLCHAIN_FILE={HERE}/{host}.cmake", *BY_CMAKE[name]], source)
    run(["cmake", "--build", folder], source)
    run(["cmake", "--install", folder], source, env={**os.environ, "DESTDIR": root})


# musl has no headers of the kernel of its own.
def lend_kernel_headers(root):
    include = os.path.join(root, "usr", "include")
    os.makedirs(include, exist_ok=True)
    for name, place in (("linux", "/usr/include/linux"), ("asm-generic", "/usr/include/asm-generic"),
                        ("asm", "/usr/include/x86_64-linux-gnu/asm")):
        os.symlink(place, os.path.join(include, name))


def build(host):
    """Builds the libraries of HOST, unless they are there; gives their folder."""
    target = library_folder(host)
    for tool in ("apt-get", "cmake", "ninja", "tar", *HOSTS[host][1:]):
        if not shutil.which(tool):
            raise fetch_packages.PackageMissing(f"{tool} is missing")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(os.path.join(target, "complete")):
            return target
        shutil.rmtree(target, ignore_errors=True)
        work = tempfile.mkdtemp(dir=os.path.dirname(target))
        try:
            folders = fetch_sources(work)
            if host == "musl":
                lend_kernel_headers(target)
            for name in PLAIN:
                build_plain(host, name, folders[name], target)
            for name in BY_CMAKE:
                build_by_cmake(host, name, folders[name], target)
            os.makedirs(os.path.join(target, "complete"))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


if __name__ == "__main__":
    fetch_libraries.run_command(__doc__, HOSTS, build)
