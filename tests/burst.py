# SPDX-License-Identifier: Apache-2.0
"""Many requests at the same moment, each on a TLS connection of its own."""

import asyncio
import collections
import http.client
import io
import json
import resource
import ssl

from client import next_address

Answer = collections.namedtuple("Answer", "status headers body")


class _Received:
    """What http.client wants of a socket."""

    def __init__(self, received):
        self.received = received

    def makefile(self, *_):
        return io.BytesIO(self.received)


def parse(received):
    """An HTTP answer from its bytes; status 0 when there is none."""
    if not received:
        return Answer(0, {}, b"")
    reader = http.client.HTTPResponse(_Received(received))
    reader.begin()
    return Answer(reader.status, dict(reader.getheaders()), reader.read())


def code_of(answer):
    """The problem's code, or None."""
    try:
        return json.loads(answer.body).get("code")
    except ValueError:
        return None


def encode(stack, method, path, body=None, headers=None):
    payload = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{stack.port}",
             "Connection: close", f"Content-Length: {len(payload)}"]
    if body is not None:
        lines.append("Content-Type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


async def _send_one(stack, context, request, source, connecting, barrier):
    async with connecting:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", stack.port, ssl=context, server_hostname="localhost",
            local_addr=(source or next_address(), 0))
    await barrier.wait()
    try:
        writer.write(request)
        await writer.drain()
        received = await asyncio.wait_for(reader.read(-1), 120)
    except (ConnectionError, asyncio.TimeoutError):
        received = b""
    finally:
        writer.close()
    return parse(received)


async def _send_all(stack, requests, source):
    context = ssl.create_default_context(cafile=stack.ca_file)
    connecting = asyncio.Semaphore(50)
    barrier = asyncio.Barrier(len(requests))
    return await asyncio.gather(*(
        _send_one(stack, context, request, source, connecting, barrier)
        for request in requests))


def send_at_once(stack, requests, source=None):
    """Connect all, then send all together; the answers in the same order.

    All connections come from one source, or each from an address of its own.
    """
    wanted = len(requests) + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    return asyncio.run(_send_all(stack, requests, source))
