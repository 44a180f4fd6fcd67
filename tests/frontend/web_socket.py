"""A small client of WebSocket (RFC 6455), for tests: VNC for browsers, and a browser's own debugging protocol."""
import base64
import os
import socket
import struct

BINARY, TEXT = 2, 1


class WebSocket:
    def __init__(self, host, port, path="/", protocol=None, timeout=120):
        self.socket = socket.create_connection((host, port), timeout)
        request = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
                   "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
        if protocol:
            request += ["Sec-WebSocket-Protocol: " + protocol, "Origin: http://localhost"]
        self.socket.sendall("\r\n".join(request + ["", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive(1)
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise OSError(f"no WebSocket: {answer}")
        self.data = b""

    def _receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise OSError("the connection was closed")
            data += part
        return data

    def receive_message(self):
        message, final = b"", False
        while not final:
            first, length = self._receive(2)
            final = first & 0x80 != 0
            if length == 126:
                length = struct.unpack(">H", self._receive(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self._receive(8))[0]
            message += self._receive(length)
        return message

    def receive(self, size):
        """So many bytes, whatever messages they come in."""
        while len(self.data) < size:
            self.data += self.receive_message()
        data, self.data = self.data[:size], self.data[size:]
        return data

    def send(self, data, kind=BINARY):
        mask = os.urandom(4)
        length = (bytes([0x80 | len(data)]) if len(data) < 126 else
                  bytes([0x80 | 126]) + struct.pack(">H", len(data)))
        self.socket.sendall(bytes([0x80 | kind]) + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def close(self):
        self.socket.close()
