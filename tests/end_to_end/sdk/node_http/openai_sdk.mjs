// OpenAI's SDK for Node against a base URL: `node openai_sdk.mjs BASE_URL MODEL EMBEDDING_MODEL` prints a line of JSON per
// case, {"case", "result"} or {"case", "raised", "status"}.
import { File } from "node:buffer";
import OpenAI, { toFile } from "openai";

globalThis.File ??= File; // Node 18 keeps it in a module

const [base, model, embeddingModel] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "unused" });
const user = (content) => [{ role: "user", content }];
const png = "data:image/png;base64,iVBORw0KGgo=";
const weather = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};
const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

const cases = {
  async chat() {
    const reply = await client.chat.completions.create({ model, messages: user("Hello") });
    return { text: reply.choices[0].message.content, finish: reply.choices[0].finish_reason, usage: reply.usage };
  },
  async stream() {
    const stream = await client.chat.completions.create({
      model, messages: user("Hello"), stream: true, stream_options: { include_usage: true },
    });
    let text = "", finish = null, usage = null, chunks = 0;
    for await (const chunk of stream) {
      chunks += 1;
      usage = chunk.usage ?? usage;
      text += chunk.choices[0]?.delta?.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    return { text, finish, usage, chunks };
  },
  async tools() {
    const runner = client.chat.completions.stream({
      model, messages: user('call:get_weather {"city": "Oslo"}'), tools: [weather],
    });
    const choice = (await runner.finalChatCompletion()).choices[0];
    const call = choice.message.tool_calls[0];
    return { name: call.function.name, input: JSON.parse(call.function.arguments), finish: choice.finish_reason };
  },
  async vision() {
    const content = [{ type: "text", text: "look" }, { type: "image_url", image_url: { url: png } }];
    return { text: (await client.chat.completions.create({ model, messages: user(content) })).choices[0].message.content };
  },
  async structured() {
    const reply = await client.chat.completions.create({
      model, messages: user("Oslo"),
      response_format: { type: "json_schema", json_schema: { name: "place", strict: true, schema } },
    });
    return JSON.parse(reply.choices[0].message.content);
  },
  async embeddings() {
    const asked = { model: embeddingModel, input: ["one", "two"], dimensions: 4 };
    const usual = await client.embeddings.create(asked);
    const float = await client.embeddings.create({ ...asked, encoding_format: "float" });
    const far = usual.data[0].embedding.map((value, i) => Math.abs(value - float.data[0].embedding[i]));
    return { sizes: usual.data.map((row) => row.embedding.length), far: Math.max(...far) };
  },
  async models() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    return { ids, one: (await client.models.retrieve(model)).id };
  },
  async bad_request() {
    await client.chat.completions.create({ model, messages: [] });
  },
  async not_found() {
    await client.chat.completions.create({ model: "no-such-model", messages: user("x") });
  },
  async files() {
    const file = await client.files.create({ file: await toFile(Buffer.from("{}\n"), "a.jsonl"), purpose: "batch" });
    const content = await (await client.files.content(file.id)).text();
    const deleted = await client.files.delete(file.id);
    return { content, bytes: file.bytes, deleted: deleted.deleted };
  },
};

for (const [name, run] of Object.entries(cases)) {
  try {
    console.log(JSON.stringify({ case: name, result: await run() }));
  } catch (error) {
    console.log(JSON.stringify({ case: name, raised: error.constructor.name, status: error.status ?? null, message: String(error) }));
  }
}
