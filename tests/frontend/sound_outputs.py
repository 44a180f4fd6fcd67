#!/usr/bin/env python3
"""Where sound goes: WAV files that are whole at any moment, SDL without gaps, and options that say what is wrong."""
import os
import struct
import subprocess
import sys
import tempfile
import time

from emulator import PATIENCE, expect, need_firmware, run_checks, skip

PROGRAM = os.path.abspath(sys.argv[1])

# The timer's counter 2 as a square wave of 1193 cycles to the speaker; sti; hlt for ever.
BEEP = bytes.fromhex("b0b6e643b0a9e642b004e642e4610c03e661fbf4ebfd")
PITCH = 1193182 / 1193


def boot_sector(folder):
    path = os.path.join(folder, "beep.img")
    with open(path, "wb") as file:
        file.write((BEEP + bytes(510))[:510] + b"\x55\xaa" + bytes(1474560 - 512))
    return path


def start(folder, options, environment=None):
    command = [PROGRAM, "-display", "none", "-fda", boot_sector(folder), "-boot", "a"] + options
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=dict(os.environ, **(environment or {})))


def read_wav(path):
    """Rate, channels and the first channel's samples; the header must tell of no more than there is."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:4] == b"RIFF" and data[8:16] == b"WAVEfmt ", data[:16]
    channels, rate = struct.unpack("<HI", data[22:28])
    size, = struct.unpack("<I", data[40:44])
    assert struct.unpack("<I", data[4:8])[0] == size + 36
    assert len(data) >= 44 + size, "the header tells of more than there is"
    samples = struct.unpack(f"<{size // 2}h", data[44:44 + size])
    return rate, channels, samples[::channels]


def rises(samples):
    """Where they rise through half of the swing, between the samples."""
    found = []
    for i, (a, b) in enumerate(zip(samples, samples[1:])):
        if a < 0 <= b and b - a > 2000:
            found.append(i - a / (b - a))
    return found


def check_pitch(rate, samples):
    found = rises(samples)[20:]
    assert len(found) > 100, f"{len(found)} periods"
    pitch = (len(found) - 1) / (found[-1] - found[0]) * rate
    assert abs(pitch - PITCH) < PITCH / 1000, pitch


def wait_for_size(path, size, process):
    deadline = time.time() + PATIENCE
    while not os.path.exists(path) or os.path.getsize(path) < size:
        assert time.time() < deadline and process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def wav_is_whole_at_any_moment():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "beep.wav")
        options = ["-audiodev", f"wav,id=a,path={path},out.frequency=32000", "-machine", "pcspk-audiodev=a"]
        with start(folder, options) as process:
            wait_for_size(path, 44, process)
            read_wav(path)
            wait_for_size(path, 100000, process)
            read_wav(path)
            process.kill()
        rate, channels, samples = read_wav(path)
        assert (rate, channels) == (32000, 2)
        check_pitch(rate, samples)


def wav_is_complete_at_the_end():
    with tempfile.TemporaryDirectory() as folder:
        options = ["-audio", "wav,model=pcspk,path=mono.wav,out.channels=1"]
        path = os.path.join(folder, "mono.wav")
        with start(folder, options) as process:
            wait_for_size(path, 100000, process)
            process.terminate()
            process.wait()
        rate, channels, samples = read_wav(path)
        assert (rate, channels) == (44100, 1) and os.path.getsize(path) == 44 + 2 * len(samples)
        check_pitch(rate, samples)


def loudness(path):
    """How many frames of the tone there are."""
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        data = file.read()
    return sum(sample != 0 for sample in struct.unpack(f"<{len(data) // 2}h", data[:len(data) // 2 * 2])[::2])


def sdl_plays_without_gaps():
    """On a host that is free, at least one time of several."""
    for _ in range(3):
        gaps, found, seconds = play_by_sdl()
        print(f"{seconds:.1f} s played, {gaps} gaps")
        assert found > 1000, (seconds, found)
        if gaps <= 1 and found > 500 * seconds or os.getloadavg()[0] >= os.cpu_count():
            return
    raise AssertionError((gaps, found, seconds))


def play_by_sdl():
    """How many gaps there were, how often the tone rose, and in how many seconds. SDL's driver 'disk' takes what a sound card
    would: 512 frames, then it sleeps for 10 ms, which is so many frames a second. A process beside it keeps one of the host's
    processors busy; what a host does that is busier still says nothing about us."""
    rate = 50700
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "played.raw")
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as load:
            try:
                with start(folder, ["-audiodev", f"sdl,id=a,out.frequency={rate}", "-machine", "pcspk-audiodev=a"],
                           {"SDL_DISKAUDIODELAY": "10", "SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": path}) as process:
                    deadline = time.time() + PATIENCE
                    while process.poll() is None and time.time() < deadline and loudness(path) < 2 * rate:
                        time.sleep(0.2)
                    process.terminate()
                    errors = process.communicate()[1]
            finally:
                load.kill()
        if not os.path.exists(path):
            assert "no sound" in errors or "no window" in errors or "build" in errors, errors
            skip("SDL cannot write to a file: " + errors.strip())
        with open(path, "rb") as file:
            data = file.read()
    samples = struct.unpack(f"<{len(data) // 2}h", data[:len(data) // 2 * 2])[::2]
    found = rises(samples)[200:]
    steps = [b - a for a, b in zip(found, found[1:])]
    period = rate / PITCH
    # The rate follows the ring by 1 % at most; anything else is a gap.
    gaps = sum(not 0.985 * period < step < 1.015 * period for step in steps)
    seconds = len(samples) / rate
    return gaps, len(found), seconds


def bad_options_are_told():
    cases = [
        (["-audiodev", "wave,id=a"], "there is no audio driver 'wave'; did you mean 'wav'"),
        (["-audiodev", "wav,id=a,path=/nowhere/x.wav"], "cannot write '/nowhere/x.wav'"),
        (["-audiodev", "wav,id=a,out.frequency=1"], "out.frequency is 8000 to 192000"),
        (["-audiodev", "none,id=a", "-device", "sb16,audiodev=b"], "there is no audio device 'b'"),
        (["-device", "sb16,irq=4"], "irq is one of 5 2 7 9 10"),
        (["-device", "sb16,iobase=0x210"], "iobase is one of 0x220"),
        (["-device", "sb16,midi=/nowhere/x.mid"], "cannot write '/nowhere/x.mid'"),
        (["-audio", "none,model=sb32"], "there is no sound card 'sb32'; did you mean 'sb16'"),
        (["-audio", "none,model=sb16,irc=5"], "irc"),
        (["-soundhw", "gus"], "there is no sound card 'gus'"),
    ]
    for options, message in cases:
        result = subprocess.run([PROGRAM, "-display", "none"] + options, stdin=subprocess.DEVNULL, timeout=PATIENCE,
                                capture_output=True, text=True, check=False)
        assert result.returncode == 1, (options, result)
        assert message in result.stderr and result.stderr.count("\n") == 1, (options, result.stderr)


def qemu_spellings_are_understood():
    for options in (["-audiodev", '{"id":"audio1","driver":"none"}', "-device", "sb16,audiodev=audio1"],
                    ["-audio", "none", "-device", "AC97"],
                    ["-audio", "driver=none,model=es1370,id=x"],
                    ["-soundhw", "sb16,adlib,ac97,es1370,pcspk"],
                    ["-audiodev", "none,id=a,timer-period=10000,out.mixing-engine=on", "-device", "ES1370,audiodev=a",
                     "-device", "AC97,audiodev=a,addr=0x9", "-device", "adlib,audiodev=a"]):
        with tempfile.TemporaryDirectory() as folder:
            with start(folder, options + ["-S"]) as process:
                time.sleep(0.3)
                assert process.poll() is None, (options, process.communicate()[1])
                process.terminate()


need_firmware()
sys.exit(run_checks([bad_options_are_told, qemu_spellings_are_understood, wav_is_whole_at_any_moment,
            wav_is_complete_at_the_end, sdl_plays_without_gaps]))
