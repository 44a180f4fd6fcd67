#!/usr/bin/env python3
"""'reprise image' on chains of images, on settings of images, and conversions in all directions, beside qemu-img.

    image_chains.py PROGRAM FAILING_DISK_LIBRARY [CHECK...]
"""
import json
import os
import random
import shutil
import sys

from emulator import run_checks
from image_command import QEMU_IMG, content, in_own_folder, ours, qemu, refused, run, same_info, same_map, scattered, write

SIZE = 5 << 20


def change(path, seed, count=12):
    """Writes into a qcow2 image, zeros too, by qemu-io."""
    dice = random.Random(seed)
    words = []
    for _ in range(count):
        offset = dice.randrange(SIZE // 512 - 300) * 512
        length = dice.choice([512, 4096, 100 * 512, 65536])
        words += ["-c", f"write -q {'-z' if dice.random() < 0.3 else f'-P {dice.randrange(256)}'} {offset} {length}"]
    os.spawnvp(os.P_WAIT, "qemu-io", ["qemu-io", "-f", "qcow2"] + words + [path])


def chain(folder, formats=("raw", "qcow2", "qcow2")):
    """base <- middle <- top, with changes in each; for both tools."""
    for name in ("mine", "theirs"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    base = scattered(f"{folder}/mine/base", SIZE, 1)
    if formats[0] != "raw":
        qemu("convert", "-O", formats[0], base, base + "2")
        os.replace(base + "2", base)
    below, below_format = "base", formats[0]
    for number, name in enumerate(("middle", "top")):
        qemu("create", "-q", "-f", "qcow2", "-o", "cluster_size=16k", "-b", below, "-F", below_format, f"{folder}/mine/{name}")
        change(f"{folder}/mine/{name}", 5 + number)
        below, below_format = name, "qcow2"
    for name in ("base", "middle", "top"):
        shutil.copyfile(f"{folder}/mine/{name}", f"{folder}/theirs/{name}")


def same_files(folder, names):
    for name in names:
        form = json.loads(qemu("info", "--output=json", f"{folder}/mine/{name}").stdout)["format"]
        qemu("compare", f"{folder}/mine/{name}", f"{folder}/theirs/{name}")
        if form == "qcow2":
            qemu("check", f"{folder}/mine/{name}")
            ours("check", f"{folder}/mine/{name}")
            same_map(f"{folder}/mine/{name}", "qcow2")


def commits_are_qemu_imgs(folder):
    for options in ([], ["-d"], ["-b", "base"], ["-q", "-p"]):
        chain(folder)
        for where, tool in (("mine", ours), ("theirs", qemu)):
            words = [word if word != "base" else f"{folder}/{where}/base" for word in options]
            answer = tool("commit", *words, f"{folder}/{where}/top")
            assert ("Image committed." in (answer if tool is ours else answer.stdout)) == ("-q" not in options)
        same_files(folder, ["base"] if "-b" in options else ["base", "middle", "top"])
        mine, theirs = (json.loads(qemu("map", "--output=json", f"{folder}/{where}/top").stdout) for where in ("mine", "theirs"))
        if "-b" not in options:
            own = [sum(extent["length"] for extent in extents if extent["depth"] == 0 and extent["present"]) for extents in (mine, theirs)]
            assert own[0] == own[1], (options, mine, theirs)
    refused(["commit", f"{folder}/mine/base"], "format raw cannot be committed")
    chain(folder)
    refused(["commit", "-b", f"{folder}/theirs/base", f"{folder}/mine/top"], "not behind it")
    qemu("convert", "-O", "qcow2", f"{folder}/mine/top", f"{folder}/alone")
    refused(["commit", f"{folder}/alone"], "no image behind it")


def longer_images_make_their_base_longer(folder):
    chain(folder, ("qcow2", "qcow2", "qcow2"))
    ours("resize", "-q", f"{folder}/mine/top", "9M")
    os.spawnvp(os.P_WAIT, "qemu-io", ["qemu-io", "-f", "qcow2", "-c", "write -q -P 3 8M 64k", f"{folder}/mine/top"])
    wanted = f"{folder}/wanted"
    ours("convert", f"{folder}/mine/top", wanted)
    ours("commit", "-q", f"{folder}/mine/top")
    qemu("compare", f"{folder}/mine/middle", wanted)
    qemu("check", f"{folder}/mine/middle")


def rebases_are_qemu_imgs(folder):
    for options in (["-b", "base", "-F", "raw"], ["-b", ""], ["-u", "-b", "other", "-F", "raw"], ["-b", "other", "-F", "raw"], ["-p", "-b", "short", "-F", "raw"]):
        chain(folder)
        for where in ("mine", "theirs"):
            scattered(f"{folder}/{where}/other", SIZE, 77)
            scattered(f"{folder}/{where}/short", SIZE // 2, 78)
        before = f"{folder}/before"
        ours("convert", f"{folder}/mine/top", before)
        ours("rebase", *options, f"{folder}/mine/top")
        qemu("rebase", *options, f"{folder}/theirs/top")
        qemu("check", f"{folder}/mine/top")
        same_files(folder, ["top"])
        same_info(f"{folder}/mine/top", "qcow2")
        mine, theirs = (json.loads(qemu("info", "--output=json", f"{folder}/{where}/top").stdout) for where in ("mine", "theirs"))
        assert mine.get("backing-filename") == theirs.get("backing-filename"), (options, mine, theirs)
        if "-u" not in options:
            qemu("compare", "-F", "raw", f"{folder}/mine/top", before)
    refused(["rebase", f"{folder}/mine/top"], "-b")
    refused(["rebase", "-b", "base", f"{folder}/mine/top"], "-F")
    refused(["rebase", "-b", "missing", "-F", "raw", f"{folder}/mine/top"], "missing")
    refused(["rebase", "-b", "base", "-F", "raw", f"{folder}/mine/base"], "no backing images")
    refused(["rebase", "-u", "-b", "x" * 1100, "-F", "raw", f"{folder}/mine/top"], "too long")


def settings_are_amended(folder):
    source = scattered(f"{folder}/source", SIZE)
    path = f"{folder}/image"
    for start, steps in (
        (["compat=0.10"], ["compat=1.1", "lazy_refcounts=on", "lazy_refcounts=off", "refcount_bits=64", "refcount_bits=16", "compat=0.10"]),
        (["compat=1.1,cluster_size=4k"], ["refcount_bits=1", "refcount_bits=8", "refcount_bits=16,compat=v2", "compat=v3,refcount_bits=32", "size=7M"]),
        (["cluster_size=512"], ["refcount_bits=2", "refcount_bits=64"]),
    ):
        qemu("convert", "-O", "qcow2", "-o", ",".join(start), source, path)
        for step in steps:
            ours("amend", "-f", "qcow2", "-o", step, path)
            qemu("check", path)
            ours("check", path)
            qemu("compare", "-F", "raw", path, source)
            same_info(path, "qcow2")
            change(path, 3, 4)
            qemu("check", path)
            qemu("convert", "-O", "raw", path, source)
    data = json.loads(qemu("info", "--output=json", path).stdout)["format-specific"]["data"]
    assert data["refcount-bits"] == 64, data
    # Clusters of zeros become what version 2 has.
    chain(folder)
    for where, tool in (("mine", ours), ("theirs", qemu)):
        tool("amend", "-o", "compat=0.10", f"{folder}/{where}/top")
    qemu("compare", f"{folder}/mine/top", f"{folder}/theirs/top")
    qemu("check", f"{folder}/mine/top")
    ours("amend", "-o", f"backing_file={folder}/mine/base,backing_fmt=raw", f"{folder}/mine/top")
    assert json.loads(ours("info", "--output=json", f"{folder}/mine/top"))["backing-filename"] == f"{folder}/mine/base"
    for words, part in ((["-o", "cluster_size=4k"], "cannot be amended"), (["-o", "compat=7"], "compat"), ([], "-o"),
                        (["-o", "refcount_bits=3"], "power of two"), (["-o", "size=1M"], "shrink"), (["-o", "lazy_refcounts=on"], "compat=1.1"),
                        (["-o", "backing_file=x"], "backing_fmt")):
        refused(["amend", *words, f"{folder}/mine/top"], part)
    refused(["amend", "-o", "size=1M", source], "cannot be amended")
    qemu("check", f"{folder}/mine/top")


def measures_are_qemu_imgs(folder):
    source = scattered(f"{folder}/source", SIZE)
    ours("convert", "-O", "qcow2", source, f"{folder}/image")
    ours("snapshot", "-c", "empty", f"{folder}/image")
    for form in ("raw", "qcow2"):
        for options in ([], ["-o", "cluster_size=512"], ["-o", "cluster_size=2M,refcount_bits=1"], ["-o", "preallocation=full"], ["-o", "preallocation=metadata"]):
            if form == "raw" and options:
                continue
            for what in (["--size=1"], ["--size=10G"], ["--size", "3T"] if not options else ["--size=1M"], [source], [f"{folder}/image"], ["-l", "empty", f"{folder}/image"]):
                words = ["measure", "--output=json", "-O", form, *options, *what]
                mine, theirs = json.loads(ours(*words)), json.loads(qemu(*words).stdout)
                theirs.pop("bitmaps", None)
                # QEMU looks for holes of the file behind a format, too.
                same = mine == theirs or (f"{folder}/image" in what and mine["required"] >= theirs["required"])
                assert same and mine["fully-allocated"] == theirs["fully-allocated"], (words, mine, theirs)
    assert ours("measure", "--size=1G") == qemu("measure", "--size=1G").stdout
    refused(["measure"], "how large")
    refused(["measure", "--size=1M", source], "how large")
    refused(["measure", "-O", "vmdk", "--size=1M"], "cannot be measured")


def parts_are_copied_as_by_qemu_img(folder):
    source = scattered(f"{folder}/source", SIZE + 512)
    for words in ([], ["bs=1M"], ["bs=4096", "count=100"], ["bs=64k", "skip=3"], ["bs=4k", "count=700", "skip=20"], ["bs=1M", "skip=99"], ["bs=512", "count=0"]):
        for form in ("raw", "qcow2"):
            mine, theirs = f"{folder}/mine", f"{folder}/theirs"
            ours("dd", "-O", form, f"if={source}", f"of={mine}", *words)
            qemu("dd", "-O", form, f"if={source}", f"of={theirs}", *words)
            if os.stat(theirs).st_size == 0:
                assert os.stat(mine).st_size == 0
                continue
            qemu("compare", "-q", "-f", form, "-F", form, mine, theirs)
            assert [json.loads(ours("info", "-f", form, "--output=json", path))["virtual-size"] for path in (mine, theirs)].count(
                json.loads(qemu("info", "-f", form, "--output=json", theirs).stdout)["virtual-size"]) == 2
    for words, part in ((["if=x"], "of="), ([f"if={source}", f"of={source}"], "source and target"), (["bs=0"], "bs="), (["colour=1"], "colour")):
        refused(["dd", *words], part)


def preallocation_gives_room(folder):
    for options in ("preallocation=metadata", "preallocation=falloc", "preallocation=full", "preallocation=metadata,cluster_size=512,refcount_bits=64",
                    "preallocation=falloc,cluster_size=2M", "preallocation=metadata,compat=0.10"):
        path = f"{folder}/image"
        ours("create", "-q", "-f", "qcow2", "-o", options, path, "9M")
        qemu("check", path)
        theirs = f"{folder}/theirs"
        qemu("create", "-q", "-f", "qcow2", "-o", options, theirs, "9M")
        qemu("compare", path, theirs)
        assert os.stat(path).st_size >= 9 << 20
        if "metadata" not in options:
            assert os.stat(path).st_blocks * 512 >= 9 << 20
        states = [sum(extent["length"] for extent in json.loads(qemu("map", "--output=json", name).stdout) if extent.get("offset") is not None)
                  for name in (path, theirs)]
        assert states[0] == states[1] == 9 << 20, (options, states)
        source = scattered(f"{folder}/source", 9 << 20)
        ours("convert", "-O", "qcow2", "-o", options, source, path)
        qemu("compare", "-F", "raw", path, source)
        qemu("check", path)
    refused(["create", "-f", "qcow2", "-o", "preallocation=some", f"{folder}/x", "1M"], "preallocation")
    write(f"{folder}/base", 1 << 20)
    refused(["create", "-f", "qcow2", "-o", "preallocation=full", "-b", "base", "-F", "raw", f"{folder}/x"], "preallocation")


SOURCES = {
    "raw": [""], "qcow2": ["", "compat=0.10,cluster_size=512", "compression_type=zstd -c", "refcount_bits=1,cluster_size=2M", "lazy_refcounts=on",
                           "preallocation=full"],
    "vdi": ["", "static=on"], "vpc": ["subformat=dynamic,force_size=on", "subformat=fixed,force_size=on"],
    "vmdk": ["", "subformat=monolithicFlat", "subformat=twoGbMaxExtentSparse", "subformat=twoGbMaxExtentFlat", "subformat=streamOptimized",
             "adapter_type=lsilogic", "zeroed_grain=on"],
    "vhdx": ["subformat=dynamic", "subformat=fixed", "subformat=dynamic,block_size=2M,block_state_zero=off"],
}
TARGETS = {
    "raw": [""], "qcow2": ["", "compression_type=zstd -c", "cluster_size=512", "preallocation=metadata"], "vdi": [""], "vpc": ["subformat=dynamic"],
    "vmdk": ["", "subformat=twoGbMaxExtentSparse", "subformat=monolithicFlat", "subformat=streamOptimized"], "hdx": [""],
}


def words_of(options):
    parts = options.split(" ")
    return (["-o", parts[0]] if parts[0] else []) + parts[1:]


def conversions_in_all_directions(folder):
    source = scattered(f"{folder}/source", SIZE)
    for form, settings in SOURCES.items():
        for number, options in enumerate(settings):
            theirs = f"{folder}/{form}-{number}.{form}"
            qemu("convert", "-O", form, *words_of(options), source, theirs)
            ours("compare", "-q", "-f", form, "-F", "raw", theirs, source)
            for target, target_settings in TARGETS.items():
                for target_options in target_settings if number == 0 or target == "raw" else target_settings[:1]:
                    mine = f"{folder}/mine.{target}"
                    ours("convert", "-f", form, "-O", target, *words_of(target_options), theirs, mine)
                    if target == "hdx":
                        ours("compare", "-q", "-f", target, "-F", "raw", mine, source)
                        continue
                    qemu("compare", "-q", "-f", target, "-F", "raw", mine, source)
                    if target in ("qcow2", "vdi", "vmdk"):
                        qemu("check", "-f", target, mine)


def several_inputs_become_one(folder):
    parts = [scattered(f"{folder}/part{number}", size, number) for number, size in enumerate((1 << 20, 777 * 512, 512, 3 << 20))]
    qemu("convert", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", parts[3], f"{folder}/last.vmdk")
    whole = b"".join(content(part) for part in parts)
    write(f"{folder}/whole", len(whole), [(0, whole)])
    for options in ([], ["-c"], ["-c", "-o", "compression_type=zstd,cluster_size=8k"], ["-S", "0"], ["-p"]):
        ours("convert", "-O", "qcow2", *options, *parts[:3], f"{folder}/last.vmdk", f"{folder}/joined")
        qemu("compare", "-F", "raw", f"{folder}/joined", f"{folder}/whole")
        qemu("check", f"{folder}/joined")


def number(data, at, size):
    return int.from_bytes(data[at:at + size], "big")


def sealed(data, at):
    return number(data, at, 4) == ~(sum(data) - sum(data[at:at + 4])) & 0xFFFFFFFF


def vhd_parts(path, kind):
    """Footer and header of a VHD image, after the rules of Microsoft's specification were checked."""
    data = content(path)
    footer, header = data[-512:], data[512:1536]
    assert data[:512] == footer and footer[:8] == b"conectix" and sealed(footer, 64) and number(footer, 60, 4) == kind, path
    assert header[:8] == b"cxsparse" and sealed(header, 36), path
    blocks = [number(data, 1536 + at, 4) * 512 for at in range(0, number(header, 28, 4) * 4, 4)]
    used = [(at, at + 512 + (2 << 20)) for at in blocks if at != 0xFFFFFFFF * 512]
    for at in range(576, 576 + 8 * 24, 24):
        if number(header, at, 4) != 0:
            start, length = number(header, at + 16, 8), number(header, at + 8, 4)
            assert 0 < length <= number(header, at + 4, 4) * 512, path
            used.append((start, start + length))
    used.sort()
    assert all(before[1] <= after[0] for before, after in zip(used, used[1:] + [(len(data) - 512, 0)])), (path, used)
    return footer, header


def vhd_names_parent(path, parent):
    _, header = vhd_parts(path, 4)
    assert header[40:56] == content(parent)[-512:][68:84], "the parent's unique identity"
    assert number(header, 56, 4) == int(os.stat(parent).st_mtime) - 946684800, "the parent's time"
    assert header[64:576].decode("utf-16-be").rstrip("\0") == os.path.basename(parent)
    data, at = content(path), 576
    assert header[at:at + 4] == b"W2ru"
    relative = data[number(header, at + 16, 8):][:number(header, at + 8, 4)].decode("utf-16-le")
    assert relative == ".\\" + os.path.relpath(parent, os.path.dirname(path)).replace("/", "\\"), relative


def vhd_sectors(path):
    return [extent["start"] for extent in json.loads(ours("map", "--output=json", path)) if extent["depth"] == 0 and extent["present"]]


def vhd_chain(folder, subformat="dynamic"):
    """base <- middle <- top with differences, and what each holds."""
    dice, wanted = random.Random(3), {}
    below = scattered(f"{folder}/raw-base", SIZE, 1)
    ours("convert", "-f", "raw", "-O", "vpc", "-o", f"subformat={subformat}", below, f"{folder}/base.vhd")
    wanted["base"] = content(below)
    os.makedirs(f"{folder}/in here", exist_ok=True)
    for name, path, parent in (("middle", "in here/m\u00efddle \U0001f4be.vhd", "../base.vhd"), ("top", "top.vhd", "in here/m\u00efddle \U0001f4be.vhd")):
        data = bytearray(wanted["base" if name == "middle" else "middle"])
        for _ in range(6):
            offset = dice.randrange(SIZE // 512 - 200) * 512
            length = dice.randrange(1, 200) * 512
            data[offset:offset + length] = bytes(length) if dice.random() < 0.3 else dice.randbytes(length)
        write(f"{folder}/raw-{name}", SIZE, [(0, bytes(data))])
        ours("convert", "-f", "raw", "-O", "vpc", "-B", parent, "-F", "vpc", f"{folder}/raw-{name}", f"{folder}/{path}")
        wanted[name] = bytes(data)
    return f"{folder}/base.vhd", f"{folder}/in here/m\u00efddle \U0001f4be.vhd", f"{folder}/top.vhd", wanted


def holds(path, wanted, form="vpc"):
    ours("convert", "-f", form, "-O", "raw", path, path + ".raw")
    assert content(path + ".raw") == wanted, path
    os.unlink(path + ".raw")


def vhd_differences_are_committed(folder):
    for subformat in ("dynamic", "fixed"):
        base, middle, top, wanted = vhd_chain(folder, subformat)
        for path, name in ((middle, "middle"), (top, "top")):
            holds(path, wanted[name])
            assert 0 < len(vhd_sectors(path)) and os.stat(path).st_size < SIZE + (2 << 20)
        vhd_names_parent(middle, base)
        info = json.loads(ours("info", "--output=json", top))
        assert info["backing-filename"] == os.path.relpath(middle, folder) and info["backing-filename-format"] == "vpc", info
        ours("commit", "-d", top)
        holds(top, wanted["top"])
        holds(middle, wanted["top"])
        assert vhd_sectors(top)
        ours("commit", top)
        assert not vhd_sectors(top) and os.stat(top).st_size < 16384
        vhd_names_parent(top, middle)
        ours("commit", middle)
        vhd_names_parent(middle, base)
        for path in (top, middle):
            holds(path, wanted["top"])
        holds(base, wanted["top"])
        if QEMU_IMG:
            qemu("compare", "-f", "vpc", "-F", "raw", base, f"{folder}/raw-top")
        assert not vhd_sectors(middle)
    base, middle, top, wanted = vhd_chain(folder)
    ours("commit", "-b", base, top)
    holds(base, wanted["top"])
    refused(["commit", base], "no image behind it")
    refused(["create", "-f", "vpc", "-b", "raw-base", "-F", "raw", f"{folder}/x.vhd"], "and not raw")
    refused(["create", "-f", "vpc", "-b", "base.vhd", "-F", "vpc", f"{folder}/x.vhd", "9M"], "the size of its parent")


def vhd_parents_are_changed(folder):
    base, middle, top, wanted = vhd_chain(folder)
    ours("rebase", "-b", "base.vhd", "-F", "vpc", top)
    vhd_names_parent(top, base)
    os.rename(middle, middle + ".away")
    holds(top, wanted["top"])
    os.rename(middle + ".away", middle)
    other = scattered(f"{folder}/raw-other", SIZE, 77)
    ours("convert", "-f", "raw", "-O", "vpc", other, f"{folder}/other.vhd")
    ours("rebase", "-p", "-b", "../other.vhd", "-F", "vpc", middle)
    vhd_names_parent(middle, f"{folder}/other.vhd")
    holds(middle, wanted["middle"])
    ours("rebase", "-u", "-b", "../base.vhd", "-F", "vpc", middle)
    vhd_names_parent(middle, base)
    ours("rebase", "-b", "", top)
    _, header = vhd_parts(top, 3)
    assert not any(header[40:]), "a dynamic image names no parent"
    holds(top, wanted["top"])
    if QEMU_IMG:
        qemu("compare", "-f", "vpc", "-F", "raw", top, f"{folder}/raw-top")
    refused(["rebase", "-b", "base.vhd", "-F", "vpc", top], "differencing")
    refused(["rebase", "-b", "raw-base", "-F", "raw", middle], "raw-base")
    refused(["rebase", "-b", "../raw-base", "-F", "raw", middle], "and not raw")
    refused(["rebase", "-u", "-b", "missing.vhd", "-F", "vpc", middle], "missing.vhd")
    vhd_names_parent(middle, base)


def what_cannot_be_opened_is_told(folder):
    path = f"{folder}/image"
    secret = ["--object", "secret,id=s,data=abc", "-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10"]
    for words, part in ((secret, "encrypted"), (["-o", f"data_file={path}.data"], "external data file"), (["-o", "extended_l2=on"], "extended L2")):
        if qemu("create", "-q", "-f", "qcow2", *words, path, "1M", status=None).returncode == 0:
            refused(["convert", path, f"{folder}/target"], part)
    qemu("create", "-q", "-f", "qed", path, "1M")
    refused(["info", path], "QED")
    assert run(["info", "-f", "raw", path]).returncode == 0


CHECKS = [commits_are_qemu_imgs, longer_images_make_their_base_longer, rebases_are_qemu_imgs, settings_are_amended, measures_are_qemu_imgs,
          parts_are_copied_as_by_qemu_img, preallocation_gives_room, conversions_in_all_directions, several_inputs_become_one, vhd_differences_are_committed,
          vhd_parents_are_changed, what_cannot_be_opened_is_told]


def main():
    if QEMU_IMG is None:
        print("qemu-img is missing: nothing to compare with")
        return 77
    return run_checks([in_own_folder(check) for check in CHECKS if not sys.argv[3:] or check.__name__ in sys.argv[3:]])


if __name__ == "__main__":
    sys.exit(main())
