"""A collector of spans: takes OTLP over HTTP in JSON, and keeps it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import eventually


class Collector:
    """Listens on a free port from the start; `stop` ends it. `bodies` are as they came, with their headers."""

    def __init__(self):
        self.bodies = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                found = self.path == "/v1/traces"
                if found:
                    collector.bodies.append((dict(self.headers), body.decode()))
                self.send_response(200 if found else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def spans(self, trace=None):
        """All that came, or those of a trace, as they began; `of` are their attributes, `process` is whose they are."""
        found = []
        for _, body in list(self.bodies):
            for resource in json.loads(body)["resourceSpans"]:
                process = values(resource["resource"]["attributes"])["service.instance.id"]
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        found.append({**span, "of": values(span["attributes"]), "process": process})
        wanted = [span for span in found if trace in (None, span["traceId"])]
        return sorted(wanted, key=lambda span: int(span["startTimeUnixNano"]))

    def await_spans(self, trace, count):
        eventually(lambda: len(self.spans(trace)) >= count, f"{count} spans of trace {trace}")
        return self.spans(trace)


def values(attributes):
    return {
        attribute["key"]: attribute["value"].get("stringValue", attribute["value"].get("intValue"))
        for attribute in attributes
    }
