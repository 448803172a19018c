curl -s http://127.0.0.1:4000/v1/chat/completions -H 'Content-Type: application/json' -d '{
  "model": "openai",
  "messages": [{"role": "user", "content": "In one sentence: what is a message broker?"}]
}'
