"""Asks one question and prints the answer: python ask.py [ROUTE]      (pip install "kubemq>=4")"""
import json
import os
import sys

from kubemq import CQClient, QueryMessage

route = sys.argv[1] if len(sys.argv) > 1 else "openai"
address = os.environ.get("LLM_ROUTER_ADDRESS", "127.0.0.1:50000")

with CQClient(address=address, client_id="ask-py") as client:
    reply = client.send_query(QueryMessage(
        channel=f"{route}_requests",
        body=b"In one sentence: what is a message broker?",
        tags={"fail-fast": "true"},
        timeout_in_seconds=60,
    ))
if not reply.is_executed:
    sys.exit(reply.error)
answer = json.loads(reply.body)
print(answer["response"])
print(f"({answer['model']}, {answer['provider']})")
