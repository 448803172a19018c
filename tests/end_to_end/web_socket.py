"""A WebSocket without a library: whole JSON messages, and an end as abrupt as a test wants it."""

import asyncio
import base64
import json
import os
import struct

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class WebSocket:
    """One connection to `ws://address/path`, made by `await WebSocket.open(address, path)`."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address, path):
        host, port = address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n{upgrade}Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        return cls(reader, writer)

    def send(self, document):
        self._send_frame(TEXT, json.dumps(document).encode())

    async def receive(self):
        """The next message. The server of ours never splits one."""
        while True:
            opcode, data = await self._receive_frame()
            if opcode == TEXT:
                return json.loads(data)
            assert opcode in (PING, PONG), f"the connection was closed: {data}"
            if opcode == PING:
                self._send_frame(PONG, data)

    def cut(self):
        """Gone, without a goodbye; what came and was not read is lost."""
        self._writer.transport.abort()

    def _send_frame(self, opcode, data):
        mask = os.urandom(4)
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self._writer.write(bytes([0x80 | opcode]) + length + mask + masked)

    async def _receive_frame(self):
        first, size = await self._reader.readexactly(2)
        if size >= 126:
            wide = {126: "!H", 127: "!Q"}[size]
            (size,) = struct.unpack(wide, await self._reader.readexactly(struct.calcsize(wide)))
        return first & 0x0F, await self._reader.readexactly(size)
