#!/usr/bin/env python3
"""'reprise image' against qemu-img, on failing disks, and with words that make no sense.

    image_command.py PROGRAM FAILING_DISK_LIBRARY
"""
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from emulator import PATIENCE, FIRMWARE, run_checks

PROGRAM = os.path.abspath(sys.argv[1])
FAILING_DISK = os.path.abspath(sys.argv[2])
QEMU_IMG = shutil.which("qemu-img")
ODD_SIZES = [1, 511, 512, 777, 65537, 163840, 1474560, 1048576 + 513, (3 << 20) + 1]
QEMU_FORMATS = {"raw", "qcow2", "vdi", "vpc", "vmdk", "vhdx"}
# Of another moment, or of QEMU alone.
UNSTEADY = {"actual-size", "filename", "children", "full-backing-filename"}


def run(words, folder=None, **more):
    return subprocess.run([PROGRAM, "image"] + [str(word) for word in words], cwd=folder, capture_output=True, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False, **more)


def qemu(*words, status=0):
    result = subprocess.run([QEMU_IMG] + [str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE,
                            check=False)
    assert status is None or result.returncode == status, f"qemu-img {words}: {result}"
    return result


def ours(*words, status=0, **more):
    result = run(words, **more)
    assert result.returncode == status, f"image {words}: status {result.returncode}, {result.stderr!r}"
    assert result.stderr == "", result.stderr
    return result.stdout


def refused(words, part, status=1, **more):
    """One line, which holds 'part', and nothing else."""
    result = run(words, **more)
    lines = result.stderr.splitlines()
    assert result.returncode == status, f"image {words}: status {result.returncode}: {result.stderr!r}"
    assert len(lines) == 1 and lines[0].startswith("reprise: image: "), f"image {words}: {result.stderr!r}"
    assert part in lines[0], f"image {words}: no {part!r} in {lines[0]!r}"


def content(path, size=None):
    with open(path, "rb") as file:
        data = file.read()
    return data if size is None else data.ljust(size, b"\0")


def write(path, size, pieces=()):
    """A file with holes, and data in some places."""
    with open(path, "wb") as file:
        for offset, data in pieces:
            file.seek(offset)
            file.write(data)
        file.truncate(size)
    return path


def scattered(path, size, seed=1):
    dice = random.Random(seed)
    pieces = []
    for _ in range(8):
        offset = dice.randrange(size)
        pieces.append((offset, dice.randbytes(min(dice.choice([1, 511, 4096, 70000]), size - offset))))
    return write(path, size, pieces)


def whole(size):
    return (size + 511) // 512 * 512


def formats():
    """Names that both know, with whether ours can be made."""
    line = re.search(r"^Formats: (.*)$", run(["--help"]).stdout, re.M).group(1)
    return [(name, not read) for name, read in re.findall(r"(\w+)( \(read\))?", line) if name in QEMU_FORMATS]


def same_info(path, qemu_format):
    mine = json.loads(ours("info", "--output=json", path))
    theirs = json.loads(qemu("info", "--output=json", "-f", qemu_format, path).stdout)
    for key in set(mine) & set(theirs) - UNSTEADY - {"format-specific"}:
        assert mine[key] == theirs[key], f"{path}: {key}: {mine[key]!r}, qemu-img has {theirs[key]!r}"
    for key in ("virtual-size", "format", "actual-size"):
        assert key in mine, f"{path}: no {key}"
    data = mine.get("format-specific", {}).get("data", {})
    for key in set(data) & set(theirs.get("format-specific", {}).get("data", {})):
        assert data[key] == theirs["format-specific"]["data"][key], f"{path}: {key}: {data[key]!r}"
    text = qemu("info", "-f", qemu_format, path).stdout
    for line in ours("info", path).splitlines():
        if line.split(":")[0] in ("image", "file format", "virtual size", "cluster_size", "backing file format"):
            assert line in text.splitlines(), f"{path}: {line!r} not in {text!r}"


def joined(extents):
    """Where zeros that have no room would lie is nothing to compare; what is alike is one."""
    result = []
    for extent in extents:
        extent.pop("compressed", None)
        if not extent["data"]:
            extent.pop("offset", None)
        else:
            extent["zero"] = False  # QEMU looks for holes of the file behind a format, too
        start, length = extent.pop("start"), extent.pop("length")
        if length == 0:
            continue
        before = result[-1] if result else [0, 0, {}]
        expected = dict(before[2], offset=before[2].get("offset", 0) + before[1]) if extent.get("offset") else before[2]
        if extent == expected:
            before[1] += length
        else:
            result.append([start, length, extent])
    return result


def same_map(path, qemu_format, *options):
    mine = joined(json.loads(ours("map", "--output=json", *options, path)))
    theirs = joined(json.loads(qemu("map", "--output=json", "-f", qemu_format, *options, path).stdout))
    assert mine == theirs, (path, mine, theirs)


def info_and_map_of_raw_are_qemu_imgs(folder):
    for size in ODD_SIZES + [10 << 20]:
        path = scattered(f"{folder}/{size}.img", size, size)
        same_info(path, "raw")
        same_map(path, "raw")
        assert ours("map", path) == qemu("map", "-f", "raw", path).stdout
    path = f"{folder}/{10 << 20}.img"
    for start, length in (("1M", "64K"), ("4096", "1"), ("10M", "1M"), ("9M", "5M"), ("512", "9999999")):
        mine = json.loads(ours("map", "--output=json", f"--start-offset={start}", f"--max-length={length}", path))
        theirs = json.loads(qemu("map", "--output=json", "-f", "raw", f"--start-offset={start}", f"--max-length={length}",
                                 path).stdout)
        total = [sum(extent["length"] for extent in extents) for extents in (mine, theirs)]
        assert total[0] == total[1], (mine, theirs)
    ours("info", write(f"{folder}/empty.img", 0))
    assert json.loads(ours("map", "--output=json", f"{folder}/empty.img")) == []
    weird = write(f"{folder}/a \"b\\c\nd.img", 512)
    assert json.loads(ours("info", "--output=json", weird))["filename"] == weird
    broken = write(os.fsencode(folder) + b"/\xff\xc0.img", 512)
    assert json.loads(ours("info", "--output=json", os.fsdecode(broken)))["virtual-size"] == 512


def create_makes_what_qemu_img_makes(folder):
    for size in ("0", "1", "777", "512", "1474560", "720K", "64M", "1.5G", "1.44m", "2T", "3k"):
        mine, theirs = f"{folder}/mine", f"{folder}/theirs"
        text = ours("create", mine, size)
        assert text == qemu("create", theirs, size).stdout.replace(theirs, mine), text
        assert os.stat(mine).st_size == os.stat(theirs).st_size, size
        assert os.stat(mine).st_mode == os.stat(theirs).st_mode
        os.unlink(mine)
        os.unlink(theirs)
    assert ours("create", "-q", "-f", "raw", "-o", "size=5M,preallocation=full", f"{folder}/full") == ""
    status = os.stat(f"{folder}/full")
    assert status.st_size == 5 << 20 <= status.st_blocks * 512
    ours("create", "-qo", "preallocation=falloc", f"{folder}/full", "1M")
    assert os.stat(f"{folder}/full").st_size == 1 << 20, "an image is overwritten, as by qemu-img"
    refused(["create", "-o", "preallocation=much", f"{folder}/new", "1M"], "preallocation")
    refused(["create", "-o", "colour=blue", f"{folder}/new", "1M"], "colour")
    refused(["create", "-b", "full", "-F", "raw", f"{folder}/new"], "backing")
    assert not os.path.exists(f"{folder}/new")


def images_in_use_are_left_alone(folder):
    path = write(f"{folder}/used.img", 1 << 20, [(0, b"mine")])
    other = write(f"{folder}/other.img", 1 << 20)
    command = [shutil.which("qemu-io") or "qemu-io", "-f", "raw", path]
    if not shutil.which("qemu-io"):
        return
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as user:
        user.stdin.write("read 0 512\n")
        user.stdin.flush()
        user.stdout.readline()
        for words in (["create", path, "2M"], ["resize", path, "2M"], ["convert", other, path], ["info", path],
                      ["convert", path, f"{folder}/copy"]):
            refused(words, "in use")
        refused(["compare", path, other], "in use", status=2)
        ours("info", "-U", path)
        user.communicate("quit\n")
    assert content(path)[:4] == b"mine" and os.stat(path).st_size == 1 << 20
    refused(["convert", path, path], "source and target")
    os.link(path, f"{folder}/link.img")
    refused(["convert", "-U", path, f"{folder}/link.img"], "source and target")
    assert content(path)[:4] == b"mine"


def convert_copies_odd_sizes(folder):
    for size in ODD_SIZES:
        source = scattered(f"{folder}/source", size, size)
        for options in ([], ["-S", "0"], ["-S", "512"]):
            ours("convert", "-q", "-f", "raw", "-O", "raw", *options, source, f"{folder}/target")
            assert content(f"{folder}/target") == content(source, whole(size)), (size, options)
    for options in (["-S", "64k"], ["-t", "none", "-T", "none", "-m", "4", "-W"], ["-U"]):
        ours("convert", *options, source, f"{folder}/target")
        assert content(f"{folder}/target") == content(source, whole(size)), options
    write(source, 40 << 20, [(30 << 20, b"x" * 5000)])
    ours("convert", source, f"{folder}/target")
    assert content(source) == content(f"{folder}/target")
    assert os.stat(f"{folder}/target").st_blocks * 512 <= 64 << 10, "zeros take no room"
    ours("convert", "-S", "0", source, f"{folder}/target")
    assert os.stat(f"{folder}/target").st_blocks * 512 >= 40 << 20
    parts = [scattered(f"{folder}/{i}", size, i) for i, size in enumerate((777, 1 << 20, 513))]
    ours("convert", *parts, f"{folder}/target")
    assert content(f"{folder}/target") == b"".join(content(part, whole(len(content(part)))) for part in parts)


def convert_writes_into_what_is_there(folder):
    source = write(f"{folder}/source", 1 << 20, [(5000, b"data")])
    target = write(f"{folder}/target", 2 << 20, [(0, b"\xee" * (2 << 20))])
    ours("convert", "-n", "-O", "raw", source, target)
    assert content(target) == content(source) + b"\xee" * (1 << 20), "zeros are written, too"
    write(target, 1 << 20)
    ours("convert", "-n", "--target-is-zero", "-O", "raw", source, target)
    assert content(target) == content(source)
    refused(["convert", "-n", "-O", "raw", source, f"{folder}/nothing"], "nothing")
    small = write(f"{folder}/small", 1 << 19)
    refused(["convert", "-n", "-O", "raw", source, small], "smaller")
    assert os.path.exists(small) and os.stat(small).st_size == 1 << 19
    refused(["convert", "--target-is-zero", source, target], "-n")


def progress_is_shown(folder):
    source = write(f"{folder}/source", 8 << 20, [(0, b"x" * (8 << 20))])
    text = ours("convert", "-p", source, f"{folder}/target")
    assert re.fullmatch(r"(    \(\d+\.\d\d/100%\)\n)+\n?", text), repr(text)
    assert "(0.00/100%)" in text and "(100.00/100%)" in text
    assert ours("convert", "-pq", source, f"{folder}/target") == ""
    script = shutil.which("script")
    if script:
        result = subprocess.run([script, "-qec", f"{PROGRAM} image convert -p {source} {folder}/target", "/dev/null"],
                                capture_output=True, text=True, timeout=PATIENCE, check=True, stdin=subprocess.DEVNULL)
        assert "[=====" in result.stdout and "(100.00/100%)" in result.stdout, result.stdout


def compare_answers_as_qemu_img(folder):
    def both(a, b, *options):
        mine = run(["compare", *options, a, b])
        theirs = qemu("compare", *options, "-f", "raw", "-F", "raw", a, b, status=None)
        assert mine.returncode == theirs.returncode, (a, b, options, mine, theirs)
        assert mine.stdout == theirs.stdout, (a, b, options, mine.stdout, theirs.stdout)
        return mine.returncode

    a = scattered(f"{folder}/a", 5 << 20)
    b = f"{folder}/b"
    seen = set()
    for change in ([], [(0, b"!")], [((5 << 20) - 1, b"!")], [(1234567, b"!")], [(4 << 20, bytes(4096))], [(5 << 20, b"\0")],
                   [(6 << 20, b"!")], [(5 << 20, bytes(1 << 20))]):
        shutil.copyfile(a, b)
        with open(b, "r+b") as file:
            for offset, data in change:
                file.seek(offset)
                file.write(data)
        for options in ([], ["-s"], ["-q"]):
            if change and options == ["-s"] and os.stat(b).st_size == 5 << 20:
                continue  # which of two differences is found first depends on the pieces
            seen |= {both(a, b, *options), both(b, a, *options)}
    assert seen == {0, 1}, seen
    refused(["compare", a, f"{folder}/missing"], "missing", status=2)
    refused(["compare", folder, a], "directory", status=2)
    refused(["compare", a], "too few words", status=2)
    refused(["compare", "-f", "zork", a, b], "zork", status=2)


def resize_as_qemu_img(folder):
    def sizes(path):
        return json.loads(ours("info", "--output=json", path))["virtual-size"], os.stat(path).st_size

    for words in (["+1K"], ["--shrink", "-1K"], ["2M"], ["--shrink", "1K"], ["+1G"], ["--shrink", "--", "-512"], ["1048576"]):
        mine, theirs = f"{folder}/mine", f"{folder}/theirs"
        for path in (mine, theirs):
            scattered(path, 1 << 20)
        if len(words) == 2 and words[1].startswith("-"):
            theirs_words = [words[0], "--", theirs, words[1]]
        else:
            theirs_words = words[:-1] + [theirs, words[-1]]
        if words[:2] == ["--shrink", "--"]:
            theirs_words = ["--shrink", "--", theirs, words[2]]
        text = ours("resize", "-f", "raw", *words[:-1], mine, words[-1])
        assert text == qemu("resize", "-f", "raw", *theirs_words).stdout == "Image resized.\n"
        assert sizes(mine) == sizes(theirs), (words, sizes(mine), sizes(theirs))
        with open(mine, "rb") as one, open(theirs, "rb") as other:
            assert one.read(1 << 20) == other.read(1 << 20)
    before = hashlib.sha256(content(mine)).digest()
    for words, part in ((["-1K"], "--shrink"), (["512"], "--shrink"), (["0"], "positive"), (["-9G"], "only"), (["+"], "size"),
                        (["+8E"], "size"), (["+9223372036854775807"], "larger"), (["18446744073709551616"], "size"),
                        (["1K", "2K"], "too many")):
        refused(["resize", mine, *words], part)
    assert hashlib.sha256(content(mine)).digest() == before


def check_of_raw_is_refused(folder):
    path = write(f"{folder}/raw", 1 << 20)
    for options in ([], ["--output=json"], ["-q"], ["-r", "all"]):
        refused(["check", *options, path], "nothing that could be checked", status=63)


def every_format_is_read_as_by_qemu_img(folder):
    for name, _ in formats():
        for size in (512, 1474560, (3 << 20) + 512):
            source = scattered(f"{folder}/source", size, size)
            path = f"{folder}/image.{name}"
            qemu("convert", "-f", "raw", "-O", name, source, path)
            same_info(path, name)
            ours("convert", "-f", name, "-O", "raw", path, f"{folder}/mine")
            qemu("convert", "-f", name, "-O", "raw", path, f"{folder}/theirs")
            assert content(f"{folder}/mine") == content(f"{folder}/theirs"), (name, size)
            ours("compare", "-F", "raw", "-f", name, path, f"{folder}/theirs")
            extents = json.loads(ours("map", "--output=json", "-f", name, path))
            assert sum(extent["length"] for extent in extents) == os.stat(f"{folder}/mine").st_size, extents


def every_format_is_written_for_qemu_img(folder):
    for name, makes in formats():
        for size in (512, 1474560, (3 << 20) + 512) if makes else ():
            source = scattered(f"{folder}/source", size, size)
            path = f"{folder}/image.{name}"
            ours("convert", "-f", "raw", "-O", name, source, path)
            qemu("compare", "-f", name, "-F", "raw", path, source)
            checked = qemu("check", "-f", name, path, status=None)
            assert checked.returncode in (0, 63), (name, size, checked)
            assert run(["check", "-f", name, path]).returncode == checked.returncode, (name, size)
            same_info(path, name)
            ours("create", "-q", "-f", name, path, size)
            assert json.loads(ours("info", "--output=json", path))["format"] == name
            qemu("convert", "-f", name, "-O", "raw", path, f"{folder}/empty")
            assert content(f"{folder}/empty").count(0) == os.stat(f"{folder}/empty").st_size >= size
        assert ("Supported %s options:" % name) in ours("create", "-f", name, "-o", "help") if makes else True


def qcow2_in_unusual_settings(folder):
    path = f"{folder}/new.qcow2"
    source = scattered(f"{folder}/source", (3 << 20) + 512)
    for options in ("", "compat=0.10", "compat=v2,cluster_size=512", "cluster_size=512,refcount_bits=64", "lazy_refcounts=on",
                    "cluster_size=2M,refcount_bits=1", "cluster_size=4096,refcount_bits=8"):
        words = ["-o", options] if options else []
        for size in ("0", "3G"):
            ours("create", "-q", "-f", "qcow2", *words, path, size)
            qemu("check", "-f", "qcow2", path)
            ours("check", path)
            same_info(path, "qcow2")
            same_map(path, "qcow2")
        ours("convert", "-f", "raw", "-O", "qcow2", *words, source, path)
        qemu("check", "-f", "qcow2", path)
        qemu("compare", "-f", "qcow2", "-F", "raw", path, source)
        same_map(path, "qcow2")
        ours("resize", path, "+100M")
        qemu("check", "-f", "qcow2", path)
    for option, part in (("cluster_size=3", "power of two"), ("cluster_size=4M", "power of two"), ("refcount_bits=3", "power of two"),
                         ("compat=2", "compat"), ("compat=0.10,refcount_bits=8", "compat=1.1"), ("compression_type=lzma", "compression_type"),
                         ("preallocation=some", "preallocation"), ("lazy_refcounts=perhaps", "on or off"), ("colour=red", "colour")):
        refused(["create", "-f", "qcow2", "-o", option, f"{folder}/none", "1M"], part)
    refused(["create", "-f", "qcow2", f"{folder}/none", "100T"], "64 TB")
    assert not os.path.exists(f"{folder}/none")


def compressed_qcow2(folder):
    path = f"{folder}/packed.qcow2"
    dice = random.Random(5)
    text = b"".join(bytes([dice.randrange(65, 75)]) for _ in range(1 << 20))
    source = write(f"{folder}/source", (6 << 20) + 512, [(70000, text), (3 << 20, dice.randbytes(300000)), (5 << 20, text + b"end")])
    for options in ("cluster_size=64K", "compat=0.10", "cluster_size=512", "cluster_size=2M", "refcount_bits=1", "refcount_bits=2"):
        ours("convert", "-c", "-O", "qcow2", "-o", options, source, path)
        qemu("check", path)
        ours("check", path)
        qemu("compare", "-F", "raw", path, source)
        ours("compare", path, source)
        same_map(path, "qcow2")
        packed = json.loads(qemu("check", "--output=json", path).stdout)["compressed-clusters"]
        assert packed > 0 and packed == json.loads(ours("check", "--output=json", path))["compressed-clusters"], options
        if options == "cluster_size=64K":
            assert os.stat(path).st_size < 2 << 20, os.stat(path).st_size
    ours("convert", path, f"{folder}/back")
    assert content(f"{folder}/back") == content(source)


def virtual_disks_of_both_kinds(folder):
    source = scattered(f"{folder}/source", (5 << 20) + 512)
    for name, options in (("vpc", "subformat=fixed"), ("vpc", "subformat=dynamic"), ("vdi", "static=on"), ("vdi", "static=off")):
        path = f"{folder}/image"
        ours("convert", "-O", name, "-o", options, source, path)
        qemu("compare", "-f", name, "-F", "raw", path, source)
        ours("compare", "-f", name, path, source)
    refused(["create", "-f", "vpc", "-o", "subformat=x", f"{folder}/x", "1M"], "subformat")
    for name in ("vpc", "vdi"):
        refused(["create", "-f", name, f"{folder}/x", "100T"], "to")
        refused(["create", "-f", name, f"{folder}/x", "0"], "1 byte")
    assert not os.path.exists(f"{folder}/x")


def told_geometry(path, form):
    data = json.loads(ours("info", "-f", form, "--output=json", path))["format-specific"]["data"]
    return data["cylinders"], data["heads"], data["sectors"]


# The exit status has three bits of the highest head and four of the sectors as INT 13h, AH=8 tells them.
GEOMETRY_GUEST = """
bits 16
org 0x7c00
    mov ah, 8
    mov dl, 0x80
    int 0x13
    mov al, dh
    shl al, 4
    and cl, 15
    or al, cl
    mov dx, 0x501
    out dx, al
    hlt
times 510 - ($ - $$) db 0
dw 0xaa55
"""


def guest_geometry(path, form, *more):
    status = subprocess.run([PROGRAM, "-display", "none", "-device", "isa-debug-exit,iobase=0x501,iosize=1", "-drive",
                             f"file={path},format={form},if=none,id=d,snapshot=on", "-device", "ide-hd,drive=d" + "".join(more)],
                            stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode >> 1
    return (status >> 4) + 1, status & 15


def unusual_geometries_are_kept(folder):
    odd = (615, 4, 26)
    size = odd[0] * odd[1] * odd[2] * 512
    with open(f"{folder}/guest.asm", "w", encoding="ascii") as file:
        file.write(GEOMETRY_GUEST)
    boots = shutil.which("nasm") is not None and any(os.path.exists(path) for path in FIRMWARE)
    if boots:
        subprocess.run(["nasm", "-f", "bin", "-o", f"{folder}/guest", f"{folder}/guest.asm"], check=True)
        scattered(f"{folder}/raw", size)
        with open(f"{folder}/raw", "r+b") as file:
            file.write(content(f"{folder}/guest"))
    else:
        scattered(f"{folder}/raw", size)
    ours("convert", "-f", "raw", "-O", "vpc", f"{folder}/raw", f"{folder}/0.vpc")
    usual = told_geometry(f"{folder}/0.vpc", "vpc")
    assert usual[1:] != odd[1:], usual
    data = bytearray(content(f"{folder}/0.vpc"))
    for at in (0, len(data) - 512):
        data[at + 56:at + 60] = odd[0].to_bytes(2, "big") + bytes(odd[1:])
        data[at + 64:at + 68] = bytes(4)
        data[at + 64:at + 68] = (~sum(data[at:at + 512]) & 0xFFFFFFFF).to_bytes(4, "big")
    write(f"{folder}/0.vpc", len(data), [(0, bytes(data))])
    before, chain = f"{folder}/0.vpc", ["vmdk", "hdx", "vmdk -o subformat=monolithicFlat", "vpc -o subformat=fixed", "hdi", "vpc"]
    assert told_geometry(before, "vpc") == odd
    form = "vpc"
    for number, words in enumerate(chain, 1):
        target, *options = words.split()
        path = f"{folder}/{number}.{target}"
        ours("convert", "-f", form, "-O", target, *options, before, path)
        before, form = path, target
        assert told_geometry(before, form) == odd, words
        ours("compare", "-q", "-f", form, "-F", "raw", before, f"{folder}/raw")
        if boots and number < 4:
            assert guest_geometry(before, form) == (odd[1], odd[2] & 15), words
    if boots:
        assert guest_geometry(before, form, ",cyls=100,heads=7,secs=20") == (7, 4)
        assert guest_geometry(f"{folder}/raw", "raw") == (8, 15), "16 heads"
    ours("convert", "-f", "vpc", "-O", "vmdk", before, before, f"{folder}/twice.vmdk")
    assert told_geometry(f"{folder}/twice.vmdk", "vmdk")[1:] == (16, 63), "two disks have no geometry together"


def overlays_of_images(folder):
    os.mkdir(f"{folder}/sub")
    base = scattered(f"{folder}/sub/base.img", 5 << 20)
    changed = f"{folder}/changed"
    shutil.copyfile(base, changed)
    with open(changed, "r+b") as file:
        file.seek(2 << 20)
        file.write(b"new" * 100000)
    for options in ([], ["-o", "compat=0.10"], ["-o", "cluster_size=512"]):
        path = f"{folder}/sub/over.qcow2"
        ours("create", "-q", "-f", "qcow2", "-b", "base.img", "-F", "raw", *options, path)
        qemu("check", path)
        same_info(path, "qcow2")
        same_map(path, "qcow2")
        ours("compare", path, base)
        ours("convert", "-O", "qcow2", "-B", "base.img", "-F", "raw", *options, changed, path)
        qemu("check", path)
        qemu("compare", "-F", "raw", path, changed)
        same_map(path, "qcow2")
        assert os.stat(path).st_size < 3 << 20, "only the differences"
    ours("create", "-q", "-f", "qcow2", "-b", "over.qcow2", "-F", "qcow2", f"{folder}/sub/third.qcow2", "6M")
    same_map(f"{folder}/sub/third.qcow2", "qcow2")
    ours("compare", f"{folder}/sub/third.qcow2", changed)
    chain = json.loads(ours("info", "--output=json", "--backing-chain", f"{folder}/sub/third.qcow2"))
    assert [link["format"] for link in chain] == ["qcow2", "qcow2", "raw"], chain
    qemu("snapshot", "-c", "first", path)
    qemu("snapshot", "-c", "second one", path)
    for key in ("id", "name", "vm-state-size", "date-sec", "date-nsec"):
        both = [[entry[key] for entry in json.loads(text)["snapshots"]]
                for text in (ours("info", "--output=json", path), qemu("info", "--output=json", path).stdout)]
        assert both[0] == both[1] and len(both[0]) == 2, both
    ours("check", path)
    refused(["create", "-f", "qcow2", "-b", "missing", "-F", "raw", f"{folder}/x"], "missing")
    refused(["create", "-f", "qcow2", "-b", "missing", f"{folder}/x", "1M"], "-F")
    ours("create", "-quf", "qcow2", "-b", "missing", "-F", "raw", f"{folder}/x", "1M")
    assert "missing" in ours("info", f"{folder}/x")
    refused(["convert", f"{folder}/x", f"{folder}/y"], "missing")


def damaged_qcow2_is_told_as_by_qemu_img(folder):
    good = f"{folder}/good.qcow2"
    qemu("convert", "-f", "raw", "-O", "qcow2", scattered(f"{folder}/source", 5 << 20), good)
    data = content(good) + bytes(65536)  # and a cluster that nobody uses
    table = int.from_bytes(data[48:56], "big")
    block = int.from_bytes(data[table:table + 8], "big")
    first = int.from_bytes(data[40:48], "big")
    level2 = int.from_bytes(data[first + 1:first + 8], "big")
    used = next(i for i in range(80) if data[level2 + 8 * i:level2 + 8 * i + 8] != bytes(8))
    entry = level2 + 8 * used
    changes = {"leak": (block + 2 * (len(data) // 65536 - 1), b"\0\1"), "uncounted": (block + 2 * 5, b"\0\0"), "counted twice": (block + 2 * 6, b"\0\2"),
               "not copied": (entry, b"\0"), "past the end": (entry, b"\x80\0\1"), "same cluster": (entry, data[entry + 8:entry + 16]),
               "unaligned": (entry + 6, b"\2"), "no level 2": (first + 1, b"\x7f")}
    for name, (offset, value) in changes.items():
        path = f"{folder}/bad.qcow2"
        with open(path, "wb") as file:
            file.write(data[:offset] + value + data[offset + len(value):])
        theirs = qemu("check", "--output=json", path, status=None)
        mine = run(["check", "--output=json", path])
        assert mine.returncode == theirs.returncode != 0, (name, mine, theirs)
        for kind in ("corruptions", "leaks"):
            both = [json.loads(result.stdout).get(kind, 0) for result in (mine, theirs)]
            assert (both[0] > 0) == (both[1] > 0), (name, kind, both)


def repaired(folder, path, data, table, entry, other):
    block = int.from_bytes(data[table:table + 8], "big")
    changes = {"leak": (block + 2 * (len(data) // 65536 - 1), b"\0\1"), "uncounted": (block + 2 * 5, b"\0\0"),
               "counted twice": (block + 2 * 6, b"\0\2"), "not copied": (entry, b"\0"), "same cluster": (entry, other),
               "no refcounts": (table, bytes(8))}
    for name, (offset, value) in changes.items():
        for wish, gone in (("leaks", {"leak"}), ("all", set(changes))):
            for target in (path, f"{folder}/theirs.qcow2"):
                with open(target, "wb") as file:
                    file.write(data[:offset] + value + data[offset + len(value):])
            mine = run(["check", "-r", wish, path])
            theirs = qemu("check", "-r", wish, f"{folder}/theirs.qcow2", status=None)
            if name in gone:
                assert mine.returncode == 0 and theirs.returncode == 0, (name, wish, mine, theirs)
                assert "were found and repaired" in mine.stdout, mine
                qemu("check", path)
            else:
                assert mine.returncode == run(["check", path]).returncode, (name, wish, mine)
            qemu("compare", path, f"{folder}/theirs.qcow2")


def qcow2_is_repaired_as_by_qemu_img(folder):
    good = f"{folder}/good.qcow2"
    qemu("convert", "-f", "raw", "-O", "qcow2", scattered(f"{folder}/source", 5 << 20), good)
    data = content(good) + bytes(65536)
    level2 = int.from_bytes(data[int.from_bytes(data[40:48], "big") + 1:][:7], "big")
    used = next(i for i in range(80) if data[level2 + 8 * i:level2 + 8 * i + 8] != bytes(8))
    entry = level2 + 8 * used
    repaired(folder, f"{folder}/bad.qcow2", data, int.from_bytes(data[48:56], "big"), entry, data[entry + 8:entry + 16])


def snapshots_are_qemu_imgs(folder):
    path = f"{folder}/disk.qcow2"
    states = {}
    for options in ([], ["-o", "compat=0.10"], ["-c", "-o", "compression_type=zstd,cluster_size=16k"]):
        qemu("convert", "-O", "qcow2", *options, scattered(f"{folder}/first", 5 << 20, 1), path)
        for number, name in enumerate(("one", "two words", "3")):
            tool = ours if number % 2 == 0 else qemu
            tool("snapshot", "-c", name, path)
            states[name] = content(f"{folder}/first")
            change = scattered(f"{folder}/first", 5 << 20, 10 + number)
            qemu("convert", "-n", "-O", "qcow2", change, path)
            qemu("check", path)
            assert ours("snapshot", "-l", path) == qemu("snapshot", "-l", path).stdout
            assert ours("snapshot", path) == ours("snapshot", "-l", path)
        for name, wanted in states.items():
            for spelling in (name, f"snapshot.name={name}"):
                ours("convert", "-l", spelling, path, f"{folder}/copy")
                assert content(f"{folder}/copy") == wanted, name
        ours("snapshot", "-a", "two words", path)
        qemu("check", path)
        ours("convert", path, f"{folder}/copy")
        assert content(f"{folder}/copy") == states["two words"]
        ours("snapshot", "-q", "-d", "1", path)
        qemu("snapshot", "-d", "3", path)
        qemu("snapshot", "-a", "two words", path)
        ours("snapshot", "-d", "two words", path)
        qemu("check", path)
        assert ours("snapshot", "-l", path) == ""
        ours("convert", path, f"{folder}/copy")
        assert content(f"{folder}/copy") == states["two words"]
        refused(["snapshot", "-a", "none", path], "no snapshot 'none'")
        refused(["convert", "-l", "none", path, f"{folder}/copy"], "no snapshot 'none'")


def unreadable_sectors_are_salvaged(folder):
    source = scattered(f"{folder}/source", 6 << 20)
    with open(source, "r+b") as file:
        file.seek(1 << 20)
        file.write(b"x" * (1 << 20))
    bad = ((1 << 20) + 5000, (1 << 20) + 9000)
    environment = dict(os.environ, LD_PRELOAD=FAILING_DISK, FAILING_FILE=source, FAILING_READ="%d %d" % bad,
                       ASAN_OPTIONS="verify_asan_link_order=0")
    target = f"{folder}/target"
    refused(["convert", source, target], "cannot read", env=environment)
    assert not os.path.exists(target), "half an image stayed"
    result = run(["convert", "--salvage", source, target], env=environment)
    first, last = bad[0] // 512 * 512, whole(bad[1])
    assert result.returncode == 0 and f"bytes {first} to {last - 1}" in result.stderr, result
    wanted = bytearray(content(source))
    wanted[first:last] = bytes(last - first)
    assert content(target) == wanted
    assert f"{last - first} bytes could not be read" in result.stderr
    assert run(["convert", "-q", "--salvage", source, target], env=environment).stderr == ""
    assert content(target) == wanted
    refused(["compare", source, target], "cannot read", status=4, env=environment)


def a_full_disk_is_told(folder):
    source = write(f"{folder}/source", 4 << 20, [(0, b"x" * (4 << 20))])
    there = write(f"{folder}/there", 512)
    environment = dict(os.environ, LD_PRELOAD=FAILING_DISK, FAILING_FILE=f"{folder}/target", FAILING_WRITE=str(3 << 20),
                       ASAN_OPTIONS="verify_asan_link_order=0")
    refused(["convert", source, f"{folder}/target"], "No space left", env=environment)
    refused(["create", "-o", "preallocation=full", f"{folder}/target", "4M"], "No space left", env=environment)
    assert not os.path.exists(f"{folder}/target"), "half an image stayed"
    refused(["convert", source, there], "No space left", env=dict(environment, FAILING_FILE=there))
    assert os.path.exists(there)
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run([PROGRAM, "image", "info", source], stdout=full, stderr=subprocess.PIPE, text=True,
                                timeout=PATIENCE, check=False)
        assert result.returncode == 1 and "No space left" in result.stderr, result


def words_that_make_no_sense(folder):
    path = write(f"{folder}/good.img", 1 << 20, [(0, b"data")])
    write(f"{folder}/a file", 512)
    os.mkfifo(f"{folder}/fifo")
    before = hashlib.sha256(content(path)).digest()
    new = f"{folder}/new"
    cases = [
        ([], "--help"), (["crate"], "did you mean 'create'"), (["snapshot"], "too few"), (["snapshot", "-c", "a", "-d", "b", path], "only one"),
        (["snapshot", "-c", "a", path], "no snapshots"), (["bench"], "not in this version"), ([""], "--help"),
        (["info"], "too few"), (["info", path, path], "too many"), (["info", "--output=xml", path], "xml"),
        (["info", "--output", path], "human or json"), (["info", path, "--output"], "missing"),
        (["info", "--outptu=json", path], "--output"), (["info", "-c", path], "'-c'"), (["info", "--backing-chain=1", path], "nothing"),
        (["info", ""], "file name"), (["info", "-f", "", path], "format"), (["info", "-f", "raw\n", path], "known"),
        (["info", f"{folder}/missing"], "No such file"), (["info", folder], "directory"), (["info", "/dev/null"], "neither"),
        (["info", f"{folder}/fifo"], "neither"), (["info", f"{folder}/good.img/x"], "Not a directory"), (["info", "x" * 5000], "xxx"),
        (["map", "--start-offset=2M", path], "only"), (["map", "--start-offset=-1", path], "size"),
        (["map", "--max-length=x", path], "size"), (["create", new], "size"), (["create", new, ""], "size"),
        (["create", new, "10X"], "size"), (["create", new, "-5"], "option"), (["create", "--", new, "-5"], "size"),
        (["create", new, "9223372036854775808"], "larger"), (["create", new, "9000000T"], "larger"), (["create", new, "1e400"], "size"),
        (["create", new, "nan"], "size"), (["create", new, "1M", "2M"], "too many"), (["create", "-f", "zork", new, "1M"], "zork"),
        (["create", "-f", "raw", "-F", "raw", new, "1M"], "backing"), (["create", "-o", "size", new], "size"),
        (["create", "-o", "size=-1", new], "size"), (["create", folder, "1M"], "directory"), (["create", "/dev/null", "1M"], "neither"),
        (["create", f"{folder}/no/such", "1M"], "No such file"), (["create", f"{folder}/fifo", "1M"], ""), (["convert", path], "too few"),
        (["convert", "-O", "zork", path, new], "zork"), (["convert", "-c", path, new], "compress"), (["convert", "-S", "5", path, new], "512"),
        (["convert", "-S", "32M", path, new], "512"), (["convert", "-m", "0", path, new], "1 to 16"), (["convert", "-t", "fast", path, new], "fast"),
        (["convert", "-B", path, "-F", "raw", path, new], "backing"), (["convert", f"{folder}/missing", new], "missing"),
        (["convert", path, folder], "directory"), (["convert", path, f"{folder}/no/such"], "No such file"),
        (["convert", folder, new], "directory"), (["check", "-r", "some", path], "leaks or all"), (["resize", path], "too few"),
        (["resize", f"{folder}/missing", "+1M"], "missing"), (["info", "-", "-"], "too many"), (["info", "-\xff", path], "unknown"),
        (["info", "%s%n%d"], "%s%n%d"), (["info", "-" + "U" * 3000 + "!", path], "unknown"),
    ]
    for words, part in cases:
        refused(words, part)
    assert not os.path.exists(new)
    assert hashlib.sha256(content(path)).digest() == before
    if os.getuid() != 0:
        os.chmod(path, 0o444)
        refused(["resize", path, "2M"], "write-protected")


def help_is_complete(folder):
    names = re.findall(r"^  (\w+) ", run(["--help"], folder).stdout, re.M)
    assert set(names) >= {"check", "compare", "convert", "create", "info", "map", "resize"}, names
    for name in names:
        for word in ("--help", "-h"):
            result = run([name, word])
            assert result.returncode == 0 and result.stdout.startswith(f"usage: reprise image {name} "), result
        # Every option that the help names is known: with '--help' behind it nothing is done.
        for letter, option, argument in re.findall(r"^  (?:-(\w)(?:, )?)?(?:--([\w-]+))?[ =]?([A-Z|a-z,=.]+)? ", result.stdout, re.M):
            value = {"SIZE": "512", "human|json": "json", "CACHE": "none", "NUMBER": "2", "RATE": "1M", "leaks|all": "all", "off": "off",
                     "KEY=V,...": "help"}.get(argument, "x")
            word = f"-{letter}" if letter else f"--{option}"
            takes = run([name, word] + ([value] if argument else []) + ["--help"])
            assert takes.returncode == 0, (name, word, takes)


CHECKS = [help_is_complete, words_that_make_no_sense, convert_copies_odd_sizes, convert_writes_into_what_is_there, progress_is_shown,
          check_of_raw_is_refused, unreadable_sectors_are_salvaged, a_full_disk_is_told]
QEMU_CHECKS = [info_and_map_of_raw_are_qemu_imgs, create_makes_what_qemu_img_makes, images_in_use_are_left_alone, compare_answers_as_qemu_img,
               resize_as_qemu_img, qcow2_in_unusual_settings, compressed_qcow2, virtual_disks_of_both_kinds, unusual_geometries_are_kept,
               overlays_of_images, damaged_qcow2_is_told_as_by_qemu_img, qcow2_is_repaired_as_by_qemu_img, snapshots_are_qemu_imgs,
               every_format_is_read_as_by_qemu_img, every_format_is_written_for_qemu_img]


def in_own_folder(check):
    def wrapped():
        with tempfile.TemporaryDirectory() as folder:
            check(folder)
    wrapped.__name__ = check.__name__
    return wrapped


def main():
    if QEMU_IMG is None:
        print("qemu-img is missing: nothing to compare with")
    wanted = CHECKS + (QEMU_CHECKS if QEMU_IMG else [])
    return run_checks([in_own_folder(check) for check in wanted if not sys.argv[3:] or check.__name__ in sys.argv[3:]])


if __name__ == "__main__":
    sys.exit(main())
