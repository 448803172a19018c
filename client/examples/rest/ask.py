"""Asks one question by REST and prints the answer: python ask.py [ROUTE]      (pip install requests)"""
import json
import sys

import requests

route = sys.argv[1] if len(sys.argv) > 1 else "openai"
reply = requests.post("http://127.0.0.1:9090/send/request", timeout=70, json={
    "RequestTypeData": 2,  # a query
    "ClientID": "ask-rest",
    "Channel": f"{route}_requests",
    "BodyString": "In one sentence: what is a message broker?",
    "Timeout": 60000,  # milliseconds
    "Tags": {"fail-fast": "true"},
}).json()
if reply["is_error"]:
    sys.exit(reply["message"])
if not reply["data"].get("Executed"):
    sys.exit(reply["data"]["Error"])
answer = json.loads(reply["data"]["BodyString"])
print(answer["response"])
print(f"({answer['model']}, {answer['provider']})")
