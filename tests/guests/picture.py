"""Pictures for the guest tests: reading PPM and PNG files and saying how alike two are.

Only what the emulators and the reference pictures need: PPM (P6, 8 bits) and PNG without
interlacing, with palette, grey or RGB samples.
"""
import struct
import zlib

GRID_WIDTH = 64
GRID_HEIGHT = 48


class Picture:
    """Width, height and RGB bytes, row by row."""

    def __init__(self, width, height, pixels):
        self.width = width
        self.height = height
        self.pixels = pixels

    def pixel(self, x, y):
        offset = (y * self.width + x) * 3
        return tuple(self.pixels[offset:offset + 3])

    def count_colours(self):
        pixels = self.pixels
        return len({pixels[i:i + 3] for i in range(0, len(pixels), 3)})

    def grid(self):
        """Mean brightness of GRID_WIDTH x GRID_HEIGHT fields."""
        cells = []
        for row in range(GRID_HEIGHT):
            top = row * self.height // GRID_HEIGHT
            bottom = max(top + 1, (row + 1) * self.height // GRID_HEIGHT)
            for column in range(GRID_WIDTH):
                left = column * self.width // GRID_WIDTH
                right = max(left + 1, (column + 1) * self.width // GRID_WIDTH)
                total = 0
                for y in range(top, bottom):
                    total += sum(self.pixels[(y * self.width + left) * 3:
                                             (y * self.width + right) * 3])
                cells.append(total / ((bottom - top) * (right - left) * 3))
        return cells


def correlation(first, second):
    """1 for pictures of the same brightness everywhere, about 0 for unrelated or empty ones."""
    a, b = first.grid(), second.grid()
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    variance_a = sum((x - mean_a) ** 2 for x in a)
    variance_b = sum((y - mean_b) ** 2 for y in b)
    if variance_a == 0 or variance_b == 0:
        return 0.0
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    return covariance / (variance_a * variance_b) ** 0.5


def read_picture(path):
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return decode_png(data)
    if data.startswith(b"P6"):
        return decode_ppm(data)
    raise ValueError(f"{path} is neither PPM nor PNG")


def decode_ppm(data):
    fields, position = [], 2
    while len(fields) < 3:
        while data[position:position + 1].isspace():
            position += 1
        start = position
        while not data[position:position + 1].isspace():
            position += 1
        fields.append(int(data[start:position]))
    width, height, _ = fields
    pixels = data[position + 1:position + 1 + width * height * 3]
    if len(pixels) != width * height * 3:
        raise ValueError("the PPM file ends early")
    return Picture(width, height, pixels)


def decode_png(data):
    """PNG specification, 11 (chunks) and 9 (filters)."""
    palette, packed, position = b"", b"", 8
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8:position + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            packed += body
        position += size + 12
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if interlace or depth > 8 or (channels > 1 and depth != 8):
        raise ValueError("this kind of PNG is not read here")
    rows = unfilter(zlib.decompress(packed), height, (width * channels * depth + 7) // 8,
                    max(1, channels * depth // 8))
    pixels = bytearray()
    for row in rows:
        samples = unpack_samples(row, width * channels, depth)
        if colour == 3:
            for sample in samples:
                pixels += palette[sample * 3:sample * 3 + 3]
        elif channels < 3:
            scale = 255 // ((1 << depth) - 1)
            for sample in samples[::channels]:
                pixels += bytes([sample * scale]) * 3
        else:
            for i in range(0, len(samples), channels):
                pixels += bytes(samples[i:i + 3])
    return Picture(width, height, bytes(pixels))


def unpack_samples(row, count, depth):
    if depth == 8:
        return row
    mask, per_byte = (1 << depth) - 1, 8 // depth
    return [row[i // per_byte] >> (8 - depth * (i % per_byte + 1)) & mask for i in range(count)]


def unfilter(data, height, row_size, step):
    rows, above = [], bytearray(row_size)
    for number in range(height):
        start = number * (row_size + 1)
        kind = data[start]
        row = bytearray(data[start + 1:start + 1 + row_size])
        for i in range(row_size if kind else 0):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = above[i]
            elif kind == 3:
                guess = (left + above[i]) // 2
            else:
                guess = paeth(left, above[i], corner)
            row[i] = (row[i] + guess) & 255
        rows.append(row)
        above = row
    return rows


def paeth(left, up, corner):
    estimate = left + up - corner
    distances = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
    return (left, up, corner)[distances.index(min(distances))]
