"""Pictures for tests from outside: reading PPM files (P6, 8 bits) and saying how alike two are."""

GRID_WIDTH = 64
GRID_HEIGHT = 48


class Picture:
    """Width, height and RGB bytes, row by row."""

    def __init__(self, width, height, pixels):
        self.width = width
        self.height = height
        self.pixels = pixels

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
    if not data.startswith(b"P6"):
        raise ValueError(f"{path} is no PPM file")
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
