"""Answers the queries of a channel over a WebSocket: python worker.py CHANNEL      (pip install requests websocket-client)"""
import json
import sys

import requests
import websocket

channel = sys.argv[1]
socket = websocket.create_connection(
    f"ws://127.0.0.1:9090/subscribe/requests?subscribe_type=queries&client_id=worker-py&group=workers&channel={channel}")
print("ready", flush=True)
while text := socket.recv():
    query = json.loads(text)
    requests.post("http://127.0.0.1:9090/send/response", timeout=10, json={
        "ClientID": "worker-py",
        "RequestID": query["RequestID"],
        "ReplyChannel": query["ReplyChannel"],
        "Executed": True,
        "BodyString": query["BodyString"].upper(),
    })
