job=$(curl -s http://127.0.0.1:4000/v1/chat/completions -H 'Prefer: respond-async' -d '{
  "model": "openai",
  "messages": [{"role": "user", "content": "In one sentence: what is a message broker?"}]
}' | sed 's/.*"id":"\([^"]*\)".*/\1/')
curl -sN "http://127.0.0.1:4000/v1/jobs/$job/events"
