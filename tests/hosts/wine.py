"""Windows' programs, run by Wine in a folder of its own: nothing is written to the user's, and nothing stays behind."""
import os
import shutil
import subprocess

# Debian keeps the 64-bit Wine beside the path where no 32-bit one is installed.
PLACES = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/lib/wine"


def find():
    """Wine's program, and the server that all programs of a prefix share; None where there are none."""
    wine = shutil.which("wine64", path=PLACES) or shutil.which("wine", path=PLACES)
    server = shutil.which("wineserver", path=PLACES) or shutil.which("wineserver64", path=PLACES)
    return (wine, server) if wine and server else None


class Prefix:
    """What Windows' C: is for as long as this lasts: a new one in FOLDER."""

    def __init__(self, folder):
        self.wine, self.server = find()
        home = os.path.join(folder, "home")
        os.makedirs(home)
        # C:\users links to folders of HOME; menus, .NET and a browser, for which Wine would ask, are not needed.
        self.variables = {"WINEPREFIX": os.path.join(folder, "prefix"), "WINEDEBUG": "-all", "HOME": home,
                          "WINEDLLOVERRIDES": "winemenubuilder.exe,mscoree,mshtml="}
        self.before = {}

    def __enter__(self):
        """Makes the prefix before anybody reads a program's pipes: Wine's services keep those they are started with."""
        self.before = {name: os.environ.get(name) for name in self.variables}
        os.environ.update(self.variables)
        try:
            subprocess.run([self.wine, "wineboot", "--init"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=300, check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Ends what still runs in the prefix, and waits until it has."""
        for word in ("-k", "-w"):
            subprocess.run([self.server, word], stderr=subprocess.DEVNULL, timeout=60, check=False)
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
