// npm `openai`, unmodified, against a running gateway.
import assert from "node:assert/strict";
import OpenAI from "openai";

const at = (name) => new OpenAI({
  baseURL: process.env.FAIRHOLD_BASE + "/v1", apiKey: process.env[name], maxRetries: 0,
});
const client = at("FAIRHOLD_KEY");
const messages = [{ role: "user", content: "Say hello in three words." }];
const ask = (from, more = {}) => from.chat.completions.create({ model: "mock-1", messages, ...more });
const refused = async (from, status, code) => {
  const error = await ask(from).then(() => null, (e) => e);
  assert.ok(error, `expected ${status}`);
  assert.equal(error.status, status);
  assert.equal(error.code, code);
};

const tests = {
  async plain() {
    const reply = await ask(client);
    assert.ok(reply.choices[0].message.content);
    assert.ok(reply.usage.completion_tokens > 0);
  },
  async streaming() {
    let text = "", usage = null;
    for await (const chunk of await ask(client, { stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.ok(text);
    assert.ok(usage.completion_tokens > 0);
  },
  async tools() {
    const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } }];
    const reply = await ask(client, { tools, tool_choice: "required" });
    assert.equal(reply.choices[0].message.tool_calls[0].function.name, "weather");
  },
  async embeddings() {
    const reply = await client.embeddings.create({ model: "mock-embedding", input: "one" });
    assert.ok(reply.data[0].embedding.length > 0);
  },
  async models() {
    const ids = (await client.models.list()).data.map((m) => m.id);
    assert.ok(ids.includes("mock-1"));
  },
  async error() {
    const error = await ask(client, { model: "no-such-model" }).then(() => null, (e) => e);
    assert.equal(error?.status, 404);
  },
  async tooMany() { await refused(at("FAIRHOLD_KEY_TIGHT"), 429, "rate_limit_exceeded"); },
  async suspended() { await refused(at("FAIRHOLD_KEY_SUSPENDED"), 403, "account_suspended"); },
};

for (const [name, test] of Object.entries(tests)) {
  await test();
  console.log(`node ${name}: ok`);
}
