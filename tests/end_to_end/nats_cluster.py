"""Three nats-servers that are one cluster, on loopback."""

import socket
import urllib.error

from harness import NatsServer, eventually


def free_ports(count):
    """Ports that nobody has now, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class NatsCluster:
    """On return a stream can be made on it, with a replica on each."""

    SIZE = 3

    def __init__(self, folder):
        routes = free_ports(self.SIZE)
        all_routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        # Each is waited for until it listens, which it does before the others are there.
        self.servers = [
            NatsServer(
                folder,
                f"nats{number}",
                more=f'cluster {{ name: three, listen: "127.0.0.1:{port}", routes: [{all_routes}] }}',
            )
            for number, port in enumerate(routes, 1)
        ]
        self.whole()

    @property
    def broker(self):
        """The setting that names it."""
        return {"url": "nats://" + ",".join(one.address for one in self.servers), "replicas": self.SIZE}

    def whole(self):
        """Returns when each server knows who leads, and each stream has caught up everywhere.

        /healthz is not asked: it restarts consumers that it finds behind.
        """
        for one in self.servers:
            eventually(lambda one=one: self._figures(one).get("meta_cluster", {}).get("leader"), f"{one.name} to be in")
        eventually(self._streams_are_whole, "the streams' replicas to catch up")

    def leader(self, stream):
        """The server that leads the stream, as one that is alive sees it; None while there is none."""
        for one in self.servers:
            name = one.alive() and self._leader_at(one, stream)
            leader = next((each for each in self.servers if each.name == name), None)
            if leader and leader.alive():
                return leader
        return None

    def stop(self):
        for one in self.servers:
            one.stop()

    def _streams_are_whole(self):
        seen = [(one.name, stream) for one in self.servers for stream in self._streams_at(one)]
        led = {stream["name"]: stream for server, stream in seen if stream["cluster"].get("leader") == server}
        return led.keys() == {stream["name"] for _, stream in seen} and all(
            replica["current"] for stream in led.values() for replica in stream["cluster"].get("replicas", ())
        )

    def _leader_at(self, server, stream):
        found = (each["cluster"].get("leader") for each in self._streams_at(server) if each["name"] == stream)
        return next(found, None)

    def _streams_at(self, server):
        accounts = self._figures(server).get("account_details", ())
        return [stream for account in accounts for stream in account.get("stream_detail", ())]

    @staticmethod
    def _figures(server):
        try:
            return server.figures("/jsz?accounts=true&streams=true")
        except (urllib.error.URLError, OSError):
            return {}
