"""libvirt's daemon as one user's own, in a folder that goes with it: no system, no D-Bus, nothing of the host's settings."""
import os
import shutil
import signal
import subprocess
import time
import uuid

NOBODY = 65534


class CommandFailed(Exception):
    """A command ended with an error."""


def missing_tools():
    """What there has to be; the names of those that are not."""
    return [name for name in ("libvirtd", "virsh", "virt-install", "qemu-img", "setpriv") if shutil.which(name) is None]


class Session:
    """A running libvirtd, whose domains end with it. It refuses to be a user's own as root: then it is nobody's."""

    def __init__(self, folder, emulator):
        self.folder = folder
        self.emulator = os.path.join(folder, "reprise")
        shutil.copy(emulator, self.emulator)  # where everybody may run it
        self.environment = {**os.environ, "HOME": folder, "LC_ALL": "C"}
        for kind in ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME", "DATA_HOME"):
            self.environment["XDG_" + kind] = self.make_folder(kind.split("_")[0].lower())
        self.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
        self.make_folder("config/libvirt")
        with open(self.path("config/libvirt/qemu.conf"), "w", encoding="ascii") as file:
            file.write('stdio_handler = "file"\nsecurity_driver = "none"\n')
        with open(self.path("libvirtd.conf"), "w", encoding="ascii") as file:
            file.write(f'log_outputs = "3:file:{self.path("libvirtd.log")}"\n')
            file.write(f'host_uuid = "{uuid.uuid4()}"\n')  # two of them are two hosts
        os.chmod(folder, 0o755)
        self.prefix = []
        if os.getuid() == 0:
            self.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            self.give_away()
        self.daemon = None
        self.start()

    def make_folder(self, name):
        os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        return self.path(name)

    def give_away(self):
        """All that is in the folder belongs to whom the daemon is."""
        if not self.prefix:
            return
        for folder, _, files in os.walk(self.folder):
            for name in ["", *files]:
                os.chown(os.path.join(folder, name), NOBODY, NOBODY, follow_symlinks=False)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        with open(self.path("daemon.out"), "ab") as output:
            self.daemon = subprocess.Popen([*self.prefix, "libvirtd", "-f", self.path("libvirtd.conf")], cwd=self.folder,
                                           env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.time() + 120
        while not os.path.exists(self.path("runtime/libvirt/libvirt-sock")):
            if time.time() > deadline or self.daemon.poll() is not None:
                raise CommandFailed("libvirtd does not start: " + self.log())
            time.sleep(0.05)

    def stop(self):
        """The daemon goes; its domains stay."""
        self.daemon.terminate()
        self.daemon.wait(120)
        socket = self.path("runtime/libvirt/libvirt-sock")
        if os.path.exists(socket):
            os.unlink(socket)

    def run(self, *words, timeout=300):
        result = subprocess.run([*self.prefix, *words], env=self.environment, cwd=self.folder, capture_output=True, text=True,
                                timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        if result.returncode != 0:
            raise CommandFailed(f"{' '.join(words)}: {result.stdout}{result.stderr}")
        return result.stdout.strip()

    def virsh(self, *words):
        return self.run("virsh", "-q", "-c", "qemu:///session", *words)

    def define(self, name, xml):
        with open(self.path(name + ".xml"), "w", encoding="ascii") as file:
            file.write(xml)
        self.give_away()
        self.virsh("define", self.path(name + ".xml"))

    def log(self):
        text = ""
        for name in ("daemon.out", "libvirtd.log"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), encoding="utf-8", errors="replace") as file:
                    text += file.read()[-3000:]
        return text

    def close(self):
        """Ends all domains, by the numbers that libvirt keeps of their processes, and the daemon."""
        folder = self.path("runtime/libvirt/qemu/run")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name.endswith(".pid"):
                with open(os.path.join(folder, name), encoding="ascii") as file:
                    number = file.read().strip()
                try:
                    os.kill(int(number), signal.SIGKILL)
                except (OSError, ValueError):
                    pass
        if self.daemon is not None and self.daemon.poll() is None:
            self.stop()
