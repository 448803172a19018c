"""Written like the client half of the first KubeMQ demo: prompt as body, 30 seconds, json.loads(body)["response"]."""

import json
import sys

from kubemq.cq import Client, QueryMessage


class LLMClient:
    def __init__(self, address):
        self.client = Client(address=address)

    def send_message(self, message, model_name):
        response = self.client.send_query_request(
            QueryMessage(channel=f"{model_name}_requests", body=message.encode("utf-8"), timeout_in_seconds=30)
        )
        if not response.is_executed:
            return {"error": response.error}
        return json.loads(response.body)


if __name__ == "__main__":
    client = LLMClient(sys.argv[1])
    for model in ("openai", "claude"):
        print(client.send_message("Say hello to " + model, model)["response"])
