// Anthropic's SDK for Node against a base URL: `node anthropic_sdk.mjs BASE_URL MODEL` prints a line of JSON per case,
// {"case", "result"} or {"case", "raised", "status"}.
import Anthropic from "@anthropic-ai/sdk";

const [baseURL, model] = process.argv.slice(2);
const client = new Anthropic({ baseURL, apiKey: "unused" });
const ask = (content, more = {}) => ({ model, max_tokens: 1000, messages: [{ role: "user", content }], ...more });
const image = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
const weather = {
  name: "get_weather",
  input_schema: { type: "object", properties: { city: { type: "string" } } },
};

const cases = {
  async chat() {
    const reply = await client.messages.create(ask("Hello"));
    return { text: reply.content[0].text, finish: reply.stop_reason, usage: reply.usage };
  },
  async stream() {
    let pieces = 0;
    const stream = client.messages.stream(ask("Hello")).on("text", () => (pieces += 1));
    const reply = await stream.finalMessage();
    return { text: reply.content[0].text, finish: reply.stop_reason, usage: reply.usage, pieces };
  },
  async tools() {
    const stream = client.messages.stream(ask('call:get_weather {"city": "Oslo"}', { tools: [weather] }));
    const reply = await stream.finalMessage();
    const call = reply.content.find((block) => block.type === "tool_use");
    return { name: call.name, input: call.input, finish: reply.stop_reason };
  },
  async vision() {
    const reply = await client.messages.create(ask([{ type: "text", text: "look" }, { type: "image", source: image }]));
    return { text: reply.content[0].text };
  },
  async count_tokens() {
    return client.messages.countTokens({ model, messages: [{ role: "user", content: "one two three" }] });
  },
  async models() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    return { ids, one: (await client.models.retrieve(model)).id };
  },
  async bad_request() {
    await client.messages.create({ model, max_tokens: 10, messages: [] });
  },
  async not_found() {
    await client.messages.create({ ...ask("x"), model: "no-such-model" });
  },
};

for (const [name, run] of Object.entries(cases)) {
  try {
    console.log(JSON.stringify({ case: name, result: await run() }));
  } catch (error) {
    console.log(JSON.stringify({ case: name, raised: error.constructor.name, status: error.status ?? null, message: String(error) }));
  }
}
