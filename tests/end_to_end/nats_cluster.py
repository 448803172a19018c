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
        """Returns when each has what the others have."""
        for one in self.servers:
            eventually(lambda one=one: self._is_well(one), f"{one.name} to be well")

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

    @staticmethod
    def _leader_at(server, stream):
        try:
            figures = server.figures("/jsz?accounts=true&streams=true")
        except (urllib.error.URLError, OSError):
            return None
        for account in figures.get("account_details", ()):
            for each in account.get("stream_detail", ()):
                if each["name"] == stream:
                    return each.get("cluster", {}).get("leader")
        return None

    @staticmethod
    def _is_well(server):
        try:
            meta = server.figures("/jsz").get("meta_cluster", {})
            return meta.get("leader") and server.figures("/healthz").get("status") == "ok"
        except (urllib.error.URLError, OSError):
            return False
