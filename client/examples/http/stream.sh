curl -sN http://127.0.0.1:4000/v1/messages -H 'Content-Type: application/json' -d '{
  "model": "claude",
  "max_tokens": 200,
  "messages": [{"role": "user", "content": "In one sentence: what is a message broker?"}],
  "stream": true
}'
