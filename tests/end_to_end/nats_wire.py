"""NATS's own wire, as any client of NATS speaks it: a subject to listen to, and questions."""

import socket
from dataclasses import dataclass, field

from harness import PATIENCE


@dataclass
class NatsMessage:
    subject: str
    body: bytes
    headers: dict = field(default_factory=dict)


class NatsWire:
    """One connection to a nats-server."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self._lines = self._socket.makefile("rb")
        self._early = []  # messages that came before the server's word that a subscription is in force
        assert self._lines.readline().startswith(b"INFO ")
        self._send(b'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n')

    def subscribe(self, subject):
        """In force on return."""
        self._send(f"SUB {subject} 1\r\nPING\r\n".encode())
        while (message := self._read()) is not None:
            self._early.append(message)

    def next(self):
        """The next message to the subject."""
        return self._early.pop(0) if self._early else self._read()

    def ask(self, subject, body):
        """The first answer; nothing but this wire's subscription `_INBOX.mine` may be in use."""
        self.subscribe("_INBOX.mine")
        self._send(f"PUB {subject} _INBOX.mine {len(body)}\r\n".encode() + body + b"\r\n")
        return self.next()

    def close(self):
        self._lines.close()
        self._socket.close()

    def _send(self, data):
        self._socket.sendall(data)

    def _read(self):
        """A message, or None for the answer to our PING."""
        while True:
            words = self._lines.readline().decode().split()
            assert words, "the nats-server closed the connection"
            if words[0] == "PONG":
                return None
            if words[0] == "PING":
                self._send(b"PONG\r\n")
            if words[0] in ("MSG", "HMSG"):
                data = self._lines.read(int(words[-1]) + 2)[:-2]
                head = int(words[-2]) if words[0] == "HMSG" else 0
                return NatsMessage(words[1], data[head:], self._headers(data[:head]))

    @staticmethod
    def _headers(head):
        lines = head.decode().split("\r\n")[1:]
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
