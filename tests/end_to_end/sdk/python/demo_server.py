"""Written like the server half of the first KubeMQ demo (plain text replies), with a group and an address to name."""

import sys
import threading

from kubemq.common.cancellation_token import CancellationToken
from kubemq.cq import Client, QueriesSubscription, QueryMessageReceived, QueryResponseMessage


class LLMRouter:
    def __init__(self, address):
        self.client = Client(address=address)

    def handle_query(self, request: QueryMessageReceived):
        try:
            message = request.body.decode("utf-8")
            response = QueryResponseMessage(
                query_received=request, is_executed=True, body=f"demo server heard: {message}".encode("utf-8")
            )
        except Exception as error:
            response = QueryResponseMessage(query_received=request, error=str(error), is_executed=False)
        self.client.send_response_message(response)

    def handle_error(self, error):
        print(f"subscription error: {error}", flush=True)

    def run(self, channels):
        for channel in channels:
            self.client.subscribe_to_queries(
                subscription=QueriesSubscription(
                    channel=channel,
                    group="workers",
                    on_receive_query_callback=self.handle_query,
                    on_error_callback=self.handle_error,
                ),
                cancel=CancellationToken(),
            )
        print("serving", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    LLMRouter(sys.argv[1]).run(sys.argv[2:])
