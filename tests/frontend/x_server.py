"""A virtual X server for tests of the window, with real key and mouse events (xdotool)."""
import os
import subprocess
import tempfile

from emulator import PATIENCE, wait_for

STATUS_LINE_HEIGHT = 16  # of the program's window, below the picture


class XServer:
    """Xvfb on a display of its own choice."""

    def __init__(self, screen="1280x1024"):
        read_end, write_end = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", screen + "x24", "-noreset", "-nolisten", "tcp"],
            pass_fds=[write_end], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as file:
            self.display = ":" + file.readline().strip()
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
        self.environment["DISPLAY"] = self.display
        # What the program remembers of images is no affair of whoever runs the tests.
        self.state = tempfile.TemporaryDirectory()
        self.environment["XDG_STATE_HOME"] = self.environment["XDG_CONFIG_HOME"] = self.environment["HOME"] = self.state.name
        # The libraries behind SDL leave memory allocated at the end.
        self.environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"

    def run(self, *words):
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False).stdout

    def window(self):
        return self.run("xdotool", "search", "--name", "Reprise").split()

    def title(self):
        windows = self.window()
        return self.run("xdotool", "getwindowname", windows[0]).strip() if windows else ""

    def key(self, name):
        """Goes to the window that has the keyboard. (Events that are sent to a window have no times, and SDL takes a key that
        comes up and goes down at one time for one that repeats.)"""
        self.run("xdotool", "key", name)

    def focus(self):
        window = self.window()[0]

        def has_keyboard():
            self.run("xdotool", "windowfocus", window)
            return self.run("xdotool", "getwindowfocus", "-f").strip() == window

        wait_for(has_keyboard, "the window to get the keyboard")

    def click(self, column, row, button=1):
        """At a place of the window, in hundredths of its size."""
        window = self.window()[0]
        size = dict(line.split("=") for line in self.run("xdotool", "getwindowgeometry", "--shell", window).split())
        self.run("xdotool", "mousemove", "--window", window, str(int(size["WIDTH"]) * column // 100),
                 str(int(size["HEIGHT"]) * row // 100), "click", str(button))

    def size(self):
        lines = self.run("xdotool", "getwindowgeometry", "--shell", self.window()[0]).split()
        values = dict(line.split("=") for line in lines)
        return int(values["WIDTH"]), int(values["HEIGHT"])

    def clipboard(self):
        return self.run("xclip", "-selection", "clipboard", "-o")

    def set_clipboard(self, text):
        before = self.clipboard()
        # it stays to serve the selection, so its output must not be waited for
        subprocess.run(["xclip", "-selection", "clipboard"], env=self.environment, input=text, text=True, timeout=PATIENCE,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        # what it left behind owns the selection some time after it has ended itself
        wait_for(lambda: self.clipboard() == text or self.clipboard() != before, "the clipboard to have the text")

    def paste(self, text):
        """By the clipboard and the window's key for it. SDL waits a second for a text; then it clears the clipboard."""
        def told():
            title = self.title()
            return "typing what you pasted" in title or "no text to paste" in title

        while True:
            self.set_clipboard(text)
            self.key("ctrl+alt+v")
            wait_for(told, lambda: "the window to paste, not " + self.title())
            if "typing what you pasted" in self.title():
                return
            wait_for(lambda: not told(), "the title to go back to what it was")

    def picture(self, path):
        self.run("import", "-silent", "-window", self.window()[0], path)

    def count_colours(self):
        return int(self.run("import", "-silent", "-window", self.window()[0], "-format", "%k", "info:") or 0)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.state.cleanup()
