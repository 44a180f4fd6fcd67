"""Drags files onto a window as file managers do: the source's side of XDND, version 5 (freedesktop.org), by python3-xlib."""
import sys
import time
import urllib.parse

from Xlib import X, Xatom, display
from Xlib.protocol import event


def drop_files(display_name, window_id, paths, seconds=120, leave=False):
    """Drops the paths in the middle of the window. True: the target says that it took them. Or goes away again, once
    somebody who was told that the pointer is there has looked."""
    screen = display.Display(display_name)
    root = screen.screen().root

    def atom(name):
        return screen.intern_atom(name)

    window = screen.create_resource_object("window", window_id)
    aware = window.get_full_property(atom("XdndAware"), X.AnyPropertyType)
    assert aware is not None, "the window takes no drops"
    source = root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    uris = atom("text/uri-list")
    source.set_selection_owner(atom("XdndSelection"), X.CurrentTime)

    def send(name, *data):
        window.send_event(event.ClientMessage(window=window, client_type=atom(name), data=(32, list(data) + [0] * (5 - len(data)))))
        screen.flush()

    def serve(request):
        text = "".join("file://" + urllib.parse.quote(path) + "\r\n" for path in paths).encode()
        request.requestor.change_property(request.property, uris, 8, text)
        request.requestor.send_event(event.SelectionNotify(
            time=request.time, requestor=request.requestor, selection=request.selection, target=request.target,
            property=request.property))
        screen.flush()

    def wait_for(name):
        deadline = time.time() + seconds
        while time.time() < deadline:
            if not screen.pending_events():
                time.sleep(0.01)
                continue
            got = screen.next_event()
            if got.type == X.SelectionRequest:
                serve(got)
            elif got.type == X.ClientMessage and got.client_type == atom(name):
                return got.data[1]
        raise AssertionError("no " + name)

    geometry = window.get_geometry()
    place = window.translate_coords(root, 0, 0)
    x, y = -place.x + geometry.width // 2, -place.y + geometry.height // 2
    send("XdndEnter", source.id, 5 << 24, uris, Xatom.STRING, 0)
    send("XdndPosition", source.id, 0, x << 16 | y, X.CurrentTime, atom("XdndActionCopy"))
    if not wait_for("XdndStatus")[1] & 1:
        return False
    if leave:
        print("over", flush=True)
        sys.stdin.readline()
        send("XdndLeave", source.id)
        screen.close()
        return True
    send("XdndDrop", source.id, 0, X.CurrentTime)
    taken = wait_for("XdndFinished")[1] & 1
    screen.close()
    return bool(taken)


if __name__ == "__main__":
    LEAVE = "--leave" in sys.argv
    WORDS = [word for word in sys.argv[1:] if word != "--leave"]
    sys.exit(0 if drop_files(WORDS[0], int(WORDS[1]), WORDS[2:], leave=LEAVE) else 1)
