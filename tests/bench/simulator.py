"""The simulator of providers as a bench starts it, and what a bench asks of it besides answers."""

import json
import time
import urllib.request

from bench import Process


class Simulator(Process):
    def __init__(self, folder, program, *options):
        super().__init__(folder, program, "simulate", "--port", "0", *options)
        self.address = self.wait_for(r"http=(\S+)").group(1)

    def open_gate(self, name, frames):
        """Of every stream at that gate, so many words may go by."""
        self.ask("/simulate/gate", {"name": name, "frames": frames})

    def last_request_that(self, outcome):
        """The last request's log once it is "running", or how it ended."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            requests = self.ask("/simulate/requests?last=1")["requests"]
            if requests and requests[-1]["outcome"] == outcome:
                return requests[-1]
            time.sleep(0.001)
        raise TimeoutError(f"bench: the last of the simulator's requests is not {outcome}: {requests}")

    def ask(self, path, document=None):
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read() or b"null")
