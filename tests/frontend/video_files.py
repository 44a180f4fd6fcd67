#!/usr/bin/env python3
"""Films of screen and sound (record_video, -record-video): the guest's own pixels and samples, at their guest times, in
a file that is whole at any moment. Decoded here, and by ffmpeg where it is installed."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from emulator import PATIENCE, Emulator, need_firmware, run_checks, wait_for

PROGRAM = os.path.abspath(sys.argv[1])

# Mode 13h; the timer's counter 2 makes 1000.15 Hz. Every nine ticks colour 0 becomes white and the speaker is let on,
# or black and off, both at once: next: mov bx,[46Ch]; wait: hlt; mov ax,[46Ch]; sub ax,bx; cmp ax,9; jb wait;
# xor cx,3Fh; xor al,al; mov dx,3C8h; out dx,al; inc dx; mov al,cl; out dx,al (3 times); in al,61h; xor al,3; out 61h,al
FLASH = bytes.fromhex("31c08ed831c9b81300cd10b0b6e643b0a9e642b004e64231c9e46124fce661fb8b1e6c04f4a16c0429d883f80972f583f13f30c0bac803ee4288c8eeeeeee4613403e661ebda")
FLASH_SECONDS = 9 * 65536 / 1193182
PITCH = 1193182 / 1193
# sti; forever: hlt; jmp forever
HALT = bytes.fromhex("fbf4ebfd")


def boot_sector(folder, code):
    path = os.path.join(folder, "guest.img")
    with open(path, "wb") as file:
        file.write((code + bytes(510))[:510] + b"\x55\xaa" + bytes(1474560 - 512))
    return path


class Film:
    """An AVI file, decoded: width, height, seconds of a frame, frames (bytes of BGRX), rate, samples of the left."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert data[:4] == b"RIFF" and data[8:12] == b"AVI ", data[:12]
        self.is_closed = struct.unpack("<I", data[4:8])[0] == len(data) - 8
        self.frames, self.samples, self.rate, self.keys = [], [], 0, 0
        self.inflate, self.last, self.index = None, None, b""
        self.read_chunks(data, 12, min(len(data), 8 + struct.unpack("<I", data[4:8])[0]))

    def read_chunks(self, data, at, end):
        while at + 8 <= end:
            name, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
            body = data[at + 8:at + 8 + size]
            if name == b"LIST":
                if body[:4] == b"movi":
                    self.movie = at + 8
                self.read_chunks(data, at + 12, at + 8 + size)
            elif name == b"strh" and body[:4] == b"vids":
                assert body[4:8] == b"ZMBV"
                scale, rate = struct.unpack("<II", body[20:28])
                self.period, self.told_frames = scale / rate, struct.unpack("<I", body[32:36])[0]
            elif name == b"strf" and size == 40:
                self.width, self.height = struct.unpack("<II", body[4:12])
            elif name == b"strf":
                assert struct.unpack("<HH", body[:4]) == (1, 2), "two channels of PCM"
                self.rate, = struct.unpack("<I", body[4:8])
            elif name == b"00dc":
                self.add_frame(body)
            elif name == b"01wb":
                self.samples.extend(struct.unpack(f"<{size // 2}h", body)[::2])
            elif name == b"idx1":
                self.index = body
            at += 8 + size + (size & 1)

    def add_frame(self, body):
        if body[0] & 1:
            assert body[1:7] == bytes([0, 1, 1, 8, 16, 16]), body[:7]
            self.inflate, body = zlib.decompressobj(), body[6:]
            self.last = bytearray(self.inflate.decompress(body[1:]))
            self.keys += 1
        else:
            self.apply(self.inflate.decompress(body[1:]))
        assert len(self.last) == self.width * self.height * 4
        self.frames.append(bytes(self.last))

    def apply(self, work):
        across, down = (self.width + 15) // 16, (self.height + 15) // 16
        at = (across * down * 2 + 3) & ~3
        for block in range(across * down):
            assert work[block * 2] in (0, 1) and work[block * 2 + 1] == 0, "blocks do not move"
            if work[block * 2] == 0:
                continue
            left, top = block % across * 16, block // across * 16
            bytes_wide = min(16, self.width - left) * 4
            for y in range(top, min(top + 16, self.height)):
                place = (y * self.width + left) * 4
                line = int.from_bytes(self.last[place:place + bytes_wide], "little") ^ int.from_bytes(work[at:at + bytes_wide], "little")
                self.last[place:place + bytes_wide] = line.to_bytes(bytes_wide, "little")
                at += bytes_wide
        assert at == len(work)

    def picture(self, number):
        """Red, green and blue of each pixel."""
        frame = self.frames[number]
        return bytes(byte for i in range(0, len(frame), 4) for byte in (frame[i + 2], frame[i + 1], frame[i]))


def read_ppm(path):
    with open(path, "rb") as file:
        data = file.read()
    words = data.split(None, 4)
    width, height = int(words[1]), int(words[2])
    return width, height, data[-width * height * 3:]


def start(folder, code, options=()):
    return Emulator(PROGRAM, ["-display", "none", "-m", "4", "-fda", boot_sector(folder, code), "-boot", "a"] + list(options))


def check_by_ffmpeg(path, film):
    """Another program's opinion."""
    if not shutil.which("ffmpeg"):
        print("      (no ffmpeg)")
        return
    with tempfile.TemporaryDirectory() as folder:
        raw = os.path.join(folder, "raw")
        out = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "bgr0", "-fps_mode", "passthrough",
                              "-map", "0:v", raw], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)
        assert out.returncode == 0 and out.stderr == "", out.stderr
        with open(raw, "rb") as file:
            data = file.read()
        size = film.width * film.height * 4
        assert len(data) == size * len(film.frames), f"{len(data) / size} frames, not {len(film.frames)}"
        mask = int.from_bytes(b"\xff\xff\xff\0" * (size // 4), "little")
        for number, frame in enumerate(film.frames):
            theirs = data[number * size:(number + 1) * size]
            assert int.from_bytes(theirs, "little") & mask == int.from_bytes(frame, "little") & mask, f"frame {number}"


def pixels_are_those_of_the_screen():
    with tempfile.TemporaryDirectory() as folder:
        with start(folder, HALT) as machine:
            wait_for(lambda: "Booting from Floppy" in machine.monitor.run("screentext"), "the guest")
            machine.monitor.run("stop")
            path, shown = machine.path("a film.avi"), machine.path("shown.ppm")
            machine.monitor.run("screendump " + shown)
            assert machine.monitor.run("stop_video") == "Error: no video is being recorded\n"
            assert machine.monitor.run(f'record_video "{path}"') == ""
            assert "already" in machine.monitor.run(f'record_video "{path}"')
            assert "1 frames" in machine.monitor.run("info video")
            assert machine.monitor.run("stop_video") == ""
            film = Film(path)
            assert film.is_closed and film.told_frames == len(film.frames) == film.keys == 1
            assert len(film.index) == 16 and film.index[:8] == b"00dc\x10\0\0\0"
            with open(path, "rb") as file:
                file.seek(film.movie + struct.unpack("<I", film.index[8:12])[0])
                assert file.read(4) == b"00dc", "the index leads to no frame"
            width, height, pixels = read_ppm(shown)
            assert (film.width, film.height) == (width, height)
            assert film.picture(0) == pixels
            check_by_ffmpeg(path, film)
            assert "cannot write" in machine.monitor.run("record_video /nowhere/film.avi")


def time_is_the_guests():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "film.avi")
        with start(folder, FLASH, ["-record-video", path, "-icount", "shift=4"]) as machine:
            wait_for(lambda: "-2.avi" in machine.monitor.run("info video") or
                     float(machine.monitor.run("info video").split("frames, ")[1].split()[0]) > 6, "some seconds of film")
            assert ", 0 pictures left out" in machine.monitor.run("info video")
            assert machine.quit() == 0
        film = Film(path)
        assert film.is_closed and film.told_frames == len(film.frames)
        white = [frame[(film.height // 2 * film.width + film.width // 2) * 4:][:3] == b"\xff\xff\xff" for frame in film.frames]
        edges = [n for n, (a, b) in enumerate(zip(white, white[1:]), 1) if a != b]
        assert len(edges) >= 6, edges
        for a, b in zip(edges, edges[1:]):
            assert abs((b - a) * film.period - FLASH_SECONDS) < 1.1 * film.period, (a, b, film.period)
        # the tone is there while it is white, and at its pitch
        assert film.rate == 48000
        heard, seen = len(film.samples) / film.rate, len(film.frames) * film.period
        assert abs(heard - seen) < 0.3, (heard, seen)
        for begin, end in zip(edges, edges[1:]):
            if end * film.period > len(film.samples) / film.rate - 0.1:
                continue
            middle = film.samples[int((begin + 2) * film.period * film.rate):int((end - 2) * film.period * film.rate)]
            rises = [i for i, (a, b) in enumerate(zip(middle, middle[1:])) if a < 0 <= b and b - a > 2000]
            if white[begin]:
                pitch = (len(rises) - 1) / (rises[-1] - rises[0]) * film.rate
                assert abs(pitch - PITCH) < PITCH / 1000, pitch
            else:
                assert not rises, "a tone while the screen is black"
        check_by_ffmpeg(path, film)


def a_killed_writer_leaves_a_film():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "film.avi")
        with start(folder, FLASH, ["-record-video", path]) as machine:
            wait_for(lambda: os.path.exists(path) and os.path.getsize(path) > 300000, "some film")
            machine.process.kill()
            machine.process.wait()
        film = Film(path)
        assert not film.is_closed or film.frames
        assert len(film.frames) >= film.told_frames > 0


def a_larger_picture_begins_another_file():
    # int 10h; then, six ticks later, mode 12h: 640x480
    code = bytes.fromhex("31c08ed8b81300cd10fb8b1e6c04f4a16c0429d883f80672f5b81200cd10b8070cbb0f0031c931d2cd10f4ebfd")
    with tempfile.TemporaryDirectory() as folder:
        with start(folder, code, ["-record-video", os.path.join(folder, "film.x.avi")]) as machine:
            wait_for(lambda: "film.x-3.avi" in machine.monitor.run("info video") or
                     "film.x-2.avi" in machine.monitor.run("info video"), "the second file")
            time.sleep(0.5)
            machine.monitor.run("stop_video")
        films = [Film(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".avi")]
        assert len(films) == 2, sorted(os.listdir(folder))
        # text first, then graphics of whole multiples within its size, then what does not fit
        sizes = [(film.width, film.height) for film in sorted(films, key=lambda film: film.height)]
        assert sizes == [(720, 400), (640, 480)], sizes
        assert all(film.is_closed and film.keys >= 1 for film in films)


def main():
    need_firmware()
    return run_checks([pixels_are_those_of_the_screen, time_is_the_guests, a_killed_writer_leaves_a_film,
                       a_larger_picture_begins_another_file])


if __name__ == "__main__":
    sys.exit(main())
