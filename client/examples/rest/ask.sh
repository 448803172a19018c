curl -s http://127.0.0.1:9090/model -H 'Content-Type: application/json' -d '{
  "model_type": "openai",
  "input_data": "In one sentence: what is a message broker?"
}'
