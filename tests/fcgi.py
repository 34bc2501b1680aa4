# SPDX-License-Identifier: Apache-2.0
"""Raw FastCGI to the program's own socket, as a front server would speak it.

For what a web server would mend or refuse before the program sees it: slow
bodies, odd variables, lying lengths.
"""

import asyncio
import json
import socket
import struct

BEGIN, PARAMS, STDIN, STDOUT, STDERR, END = 1, 4, 5, 6, 7, 3


def record(kind, content):
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def _length(number):
    if number < 128:
        return bytes([number])
    return struct.pack(">I", number | 0x80000000)


def _pairs(variables):
    encoded = b""
    for name, value in variables:
        name, value = _bytes(name), _bytes(value)
        encoded += _length(len(name)) + _length(len(value)) + name + value
    return encoded


def _bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def variables_for(method, path, length=0, address="127.200.0.1", more=()):
    """The variables that lighttpd sends, as pairs."""
    return [
        ("REQUEST_METHOD", method), ("REQUEST_URI", path),
        ("SCRIPT_NAME", path.split("?")[0]), ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("QUERY_STRING", path.partition("?")[2]), ("REMOTE_ADDR", address),
        ("SERVER_NAME", "localhost"), ("HTTPS", "on"),
        ("CONTENT_LENGTH", str(length)), ("CONTENT_TYPE", "application/json"),
        *more,
    ]


class Call:
    """One FastCGI request whose body is sent piece by piece."""

    def __init__(self, path, variables, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        encoded = _pairs(variables)
        head = record(BEGIN, struct.pack(">HB5x", 1, 0))
        for start in range(0, len(encoded), 65000):
            head += record(PARAMS, encoded[start:start + 65000])
        self.socket.sendall(head + record(PARAMS, b""))

    def send(self, piece):
        self.socket.sendall(record(STDIN, piece))

    def finish(self):
        self.socket.sendall(record(STDIN, b""))

    def answer(self):
        """The CGI head and body that came, b"" when it was closed before."""
        out = b""
        try:
            while True:
                head = self._read(8)
                _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
                content = self._read(length + padding)[:length]
                if kind == STDOUT:
                    out += content
                if kind == END:
                    return out
        except (EOFError, ConnectionError):
            return out
        finally:
            self.socket.close()

    def _read(self, count):
        received = b""
        while len(received) < count:
            piece = self.socket.recv(count - len(received))
            if not piece:
                raise EOFError
            received += piece
        return received


def call(path, variables, body=b""):
    """One whole request; gives (status, text of head and body)."""
    one = Call(path, variables)
    if body:
        one.send(body)
    one.finish()
    return status_of(one.answer())


def json_bytes(body):
    return b"" if body is None else json.dumps(body).encode()


def whole(variables, body=b""):
    """All records of a request."""
    encoded = _pairs(variables)
    records = record(BEGIN, struct.pack(">HB5x", 1, 0))
    records += record(PARAMS, encoded) + record(PARAMS, b"")
    if body:
        records += record(STDIN, body)
    return records + record(STDIN, b"")


def contents_of(received):
    """The CGI head and body in the records of an answer."""
    out, at = b"", 0
    while at + 8 <= len(received):
        _, kind, _, length, padding = struct.unpack_from(">BBHHBx", received, at)
        if kind == STDOUT:
            out += received[at + 8:at + 8 + length]
        at += 8 + length + padding
    return out


async def _send_one(path, records):
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(records)
        return await asyncio.wait_for(reader.read(-1), 60)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def _send_all(requests):
    return await asyncio.gather(*(
        _send_one(path, whole(variables, body))
        for path, variables, body in requests))


def send_at_once(requests):
    """Requests (socket, variables, body) all together; (status, text) of each."""
    received = asyncio.run(_send_all(requests))
    return [status_of(contents_of(one)) for one in received]


def status_of(received):
    """The status of a CGI answer, 0 for none, and all of its text."""
    text = received.decode(errors="replace")
    for line in text.split("\r\n"):
        if line.lower().startswith("status:"):
            return int(line.split()[1]), text
    return (200 if text else 0), text
