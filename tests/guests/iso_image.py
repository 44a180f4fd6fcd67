#!/usr/bin/env python3
"""Writes CD images: ISO 9660 (ECMA-119) with an El Torito boot entry.

    tests/guests/iso_image.py OUTPUT [--boot NAME] [--floppy] NAME=FILE ...

Names are 8.3 in capitals, as level 1 wants them. --boot says which file is started: a loader, or
with --floppy the image of a floppy.
"""
import argparse
import struct

SECTOR = 2048
SYSTEM_AREA_SECTORS = 16
NO_EMULATION, FLOPPY_1440K = 0, 2  # media types of El Torito
ISOLINUX_LOAD_SECTORS = 4  # of 512 bytes; the loader reads the rest of itself


class _Folder:
    def __init__(self, parent):
        self.parent = parent or self
        self.entries = {}
        self.sector = 0
        self.size = SECTOR


class _File:
    def __init__(self, data):
        self.data = data
        self.sector = 0
        self.size = len(data)


def _both(format_character, value):
    """A number in both byte orders (ECMA-119, 7.2.3 and 7.3.3)."""
    return struct.pack("<" + format_character, value) + struct.pack(">" + format_character, value)


def _sectors(size):
    return (size + SECTOR - 1) // SECTOR


def _record(name, item):
    """A directory record (ECMA-119, 9.1)."""
    is_folder = isinstance(item, _Folder)
    length = 33 + len(name)
    length += length % 2
    record = struct.pack("BB", length, 0) + _both("I", item.sector) + _both("I", item.size)
    record += bytes([100, 1, 1, 0, 0, 0, 0]) + bytes([2 if is_folder else 0, 0, 0])
    record += _both("H", 1) + bytes([len(name)]) + name
    return record.ljust(length, b"\0")


def _folder_bytes(folder):
    """All records of a folder; none crosses the end of a sector (ECMA-119, 6.8.1.1)."""
    data = bytearray()
    records = [_record(b"\0", folder), _record(b"\1", folder.parent)]
    records += [_record(name, item) for name, item in sorted(folder.entries.items())]
    for record in records:
        if len(data) % SECTOR + len(record) > SECTOR:
            data += bytes(-len(data) % SECTOR)
        data += record
    return bytes(data) + bytes(-len(data) % SECTOR)


def _path_table(folders, order):
    """ECMA-119, 9.4; FOLDERS are (name, folder), parents first."""
    numbers = {id(folder): i + 1 for i, (_, folder) in enumerate(folders)}
    table = b""
    for name, folder in folders:
        table += struct.pack(order + "BBIH", len(name), 0, folder.sector,
                             numbers[id(folder.parent)])
        table += name + bytes(len(name) % 2)
    return table


def _volume_descriptor(root, sectors, table_size, tables):
    """The primary volume descriptor (ECMA-119, 8.4)."""
    date = b"2000010100000000\0"
    data = b"\1CD001\1\0" + b" " * 32 + b"REPRISE TEST".ljust(32) + bytes(8) + _both("I", sectors)
    data += bytes(32) + _both("H", 1) + _both("H", 1) + _both("H", SECTOR)
    data += _both("I", table_size) + struct.pack("<II", tables[0], 0)
    data += struct.pack(">II", tables[1], 0) + _record(b"\0", root)
    data += b" " * (128 * 4 + 37 * 3) + date * 2 + b"0" * 16 + b"\0" + date + b"\1"
    return data.ljust(SECTOR, b"\0")


def _boot_record(catalog_sector):
    """El Torito 1.0, figure 7."""
    data = b"\0CD001\1" + b"EL TORITO SPECIFICATION".ljust(32, b"\0") + bytes(32)
    return (data + struct.pack("<I", catalog_sector)).ljust(SECTOR, b"\0")


def _boot_catalog(boot_sector, emulation):
    """Validation entry and one entry of a media type (El Torito 1.0, 2.1 and 2.2)."""
    validation = bytearray(struct.pack("<BBH24sHBB", 1, 0, 0, b"REPRISE", 0, 0x55, 0xAA))
    total = sum(struct.unpack("<16H", validation))
    struct.pack_into("<H", validation, 28, -total & 0xFFFF)
    count = ISOLINUX_LOAD_SECTORS if emulation == NO_EMULATION else 1
    entry = struct.pack("<BBHBBHI", 0x88, emulation, 0, 0, 0, count, boot_sector)
    return (bytes(validation) + entry).ljust(SECTOR, b"\0")


def _boot_information(data, sector):
    """Bytes 8 to 63 of a loader tell it where it is: a table that isolinux and others read."""
    total = sum(struct.unpack(f"<{len(data[64:]) // 4}I", data[64:][:len(data[64:]) // 4 * 4]))
    table = struct.pack("<4I", SYSTEM_AREA_SECTORS, sector, len(data), total & 0xFFFFFFFF)
    return data[:8] + table + bytes(40) + data[64:]


def _build_tree(files):
    root = _Folder(None)
    for path, data in files.items():
        *above, name = path.strip("/").upper().split("/")
        folder = root
        for part in above:
            folder = folder.entries.setdefault(part.encode(), _Folder(folder))
        folder.entries[name.encode() + b";1"] = _File(data)
    return root


def _walk(name, folder):
    """(name, item) of everything, a folder before what it holds."""
    yield name, folder
    for child_name, child in sorted(folder.entries.items()):
        if isinstance(child, _Folder):
            yield from _walk(child_name, child)
        else:
            yield child_name, child


def write(output, files, boot=None, emulation=NO_EMULATION):
    """Writes an image of FILES, {path: bytes}, that starts what is at the path BOOT: a loader, or
    the image of a floppy for EMULATION."""
    root = _build_tree(files)
    items = list(_walk(b"\0", root))
    folders = [(name, item) for name, item in items if isinstance(item, _Folder)]
    folders.sort(key=lambda pair: _depth(pair[1]))
    contents = [item for _, item in items if isinstance(item, _File)]
    catalog = SYSTEM_AREA_SECTORS + 3
    tables = (catalog + 1, catalog + 2)
    position = catalog + 3
    for _, folder in folders:
        folder.size = len(_folder_bytes(folder))
    for item in [folder for _, folder in folders] + contents:
        item.sector = position
        position += _sectors(item.size)
    table = _path_table(folders, "<")
    if len(table) > SECTOR:
        raise ValueError("too many folders for a CD image of this kind")
    if boot:
        *above, name = boot.strip("/").upper().split("/")
        loader = root
        for part in above:
            loader = loader.entries[part.encode()]
        loader = loader.entries[name.encode() + b";1"]
        if emulation == NO_EMULATION:
            loader.data = _boot_information(loader.data, loader.sector)
    with open(output, "wb") as image:
        def put(sector, data):
            image.seek(sector * SECTOR)
            image.write(data + bytes(-len(data) % SECTOR))
        put(SYSTEM_AREA_SECTORS, _volume_descriptor(root, position, len(table), tables))
        put(SYSTEM_AREA_SECTORS + 1, _boot_record(catalog) if boot else b"")
        put(SYSTEM_AREA_SECTORS + 2, b"\xffCD001\1")
        put(catalog, _boot_catalog(loader.sector, emulation) if boot else b"\0")
        put(tables[0], table)
        put(tables[1], _path_table(folders, ">"))
        for _, folder in folders:
            put(folder.sector, _folder_bytes(folder))
        for item in contents:
            put(item.sector, item.data)
    return output


def _depth(folder):
    return 0 if folder.parent is folder else 1 + _depth(folder.parent)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("output")
    parser.add_argument("files", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--boot")
    parser.add_argument("--floppy", action="store_true")
    args = parser.parse_args()
    contents = {}
    for name, path in (pair.split("=", 1) for pair in args.files):
        with open(path, "rb") as file:
            contents[name] = file.read()
    write(args.output, contents, args.boot, FLOPPY_1440K if args.floppy else NO_EMULATION)


if __name__ == "__main__":
    main()
