"""A stream over plain HTTP by asyncio, with every byte in the test's hands: read to any point, slowly, or broken off."""

import asyncio
import json
import socket

from harness import PATIENCE

PATHS = ("/v1/chat/completions", "/v1/messages")


def request_of(path, model, text):
    """The bytes of a request for a stream, of which the server closes the connection at its end."""
    body = {"model": model, "max_tokens": 1_000_000, "stream": True, "messages": [{"role": "user", "content": text}]}
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data


class HttpStream:
    """One connection, made by `await HttpStream.open(address)`."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address, receive_buffer=None):
        """With `receive_buffer`, about that many bytes are taken ahead of us by the kernel, and as many by asyncio."""
        host, port = address.rsplit(":", 1)
        connection = socket.socket()
        connection.setblocking(False)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
        return cls(*await asyncio.open_connection(sock=connection, limit=receive_buffer or 2**16))

    def send(self, data):
        self._writer.write(data)

    async def read(self, most):
        """What is there, at most that many bytes; empty at the end."""
        return await self._reader.read(most)

    async def read_exactly(self, count):
        return await self._reader.readexactly(count)

    async def read_head(self):
        """The status line and the headers; of a stream that is one."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        return head

    def cut(self):
        """Gone at once. What came and was not read makes it a reset."""
        self._writer.transport.abort()


def unchunked(raw):
    """The chunks of a body, as many as are whole, joined; and whether the last one is there."""
    pieces, at = [], 0
    while (line := raw.find(b"\r\n", at)) >= 0:
        size = int(raw[at:line], 16)
        end = line + 2 + size
        if size == 0 or len(raw) < end + 2:
            return b"".join(pieces), size == 0
        pieces.append(raw[line + 2 : end])
        at = end + 2
    return b"".join(pieces), False


def text_of(body):
    """What the frames of either API say, joined; of the last one only if it is whole."""
    said = []
    for line in body.split(b"\n")[:-1]:
        if not line.startswith(b"data: {"):
            continue
        frame = json.loads(line[6:])
        assert "error" not in frame, frame
        if frame.get("choices"):
            said.append(frame["choices"][0]["delta"].get("content") or "")
        else:
            said.append(frame.get("delta", {}).get("text", ""))
    return "".join(said)


async def whole_body(address, request):
    """The frames of a stream that is read to its end."""
    stream = await HttpStream.open(address)
    stream.send(request)
    await stream.read_head()
    body, ended = unchunked(await stream.read(-1))
    stream.cut()
    assert ended and (b"data: [DONE]" in body or b"event: message_stop" in body), body[-300:]
    return body


def all_at(most, coroutines):
    """Runs them, at most that many at a time, and returns their results in order."""

    async def run():
        room = asyncio.Semaphore(most)

        async def one(coroutine):
            async with room, asyncio.timeout(PATIENCE):
                return await coroutine

        return await asyncio.gather(*(one(coroutine) for coroutine in coroutines))

    return asyncio.run(run())


def wait_for(coroutine):
    return all_at(1, [coroutine])[0]
