curl -s http://127.0.0.1:9090/send/request -H 'Content-Type: application/json' -d '{
  "RequestTypeData": 2,
  "ClientID": "ask-curl",
  "Channel": "openai_requests",
  "BodyString": "In one sentence: what is a message broker?",
  "Timeout": 60000
}'
