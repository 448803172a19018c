cat > lines.jsonl <<'LINES'
{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "openai", "messages": [{"role": "user", "content": "Hello"}]}}
{"custom_id": "b", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "claude", "messages": [{"role": "user", "content": "Hello"}]}}
LINES
file=$(curl -s http://127.0.0.1:4000/v1/files -F purpose=batch -F file=@lines.jsonl | sed 's/.*"id":"\([^"]*\)".*/\1/')
curl -s http://127.0.0.1:4000/v1/batches -d '{
  "input_file_id": "'"$file"'", "endpoint": "/v1/chat/completions", "completion_window": "24h"
}'
