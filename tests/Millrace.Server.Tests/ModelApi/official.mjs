// Asks a server by OpenAI's own client and prints what it understood, as one JSON object.
const [, , client, baseURL, apiKey, model, tools] = process.argv;
const { default: OpenAI } = await import(client);
const openai = new OpenAI({ apiKey, baseURL, maxRetries: 0 });
const messages = [{ role: "user", content: "What is the weather in Paris?" }];
const found = {};

found.models = (await openai.models.list()).data.map((one) => one.id);
const whole = await openai.chat.completions.create({ model, messages, max_tokens: 8, seed: 1 });
found.whole = whole.choices[0].message.content;
found.total = whole.usage.total_tokens;
found.streamed = "";
const stream = await openai.chat.completions.create({
  model, messages, max_tokens: 8, seed: 1, stream: true, stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  found.streamed += chunk.choices[0]?.delta.content ?? "";
  if (chunk.usage) found.streamedTotal = chunk.usage.total_tokens;
}

const response = await openai.responses.create({ model, input: "hello", max_output_tokens: 8, seed: 1 });
found.response = response.output_text;
const events = await openai.responses.create({ model, input: "hello", max_output_tokens: 8, seed: 1, stream: true });
found.responseStreamed = "";
for await (const event of events) {
  if (event.type === "response.output_text.delta") found.responseStreamed += event.delta;
  found.lastEvent = event.type;
}

try {
  await openai.chat.completions.create({ model: "no-such-model", messages });
} catch (error) {
  found.error = [error.constructor.name, error.status, error.code];
}

if (tools) {
  const asked = {
    model, messages, seed: 1, max_tokens: 200, tool_choice: "required",
    tools: [{
      type: "function",
      function: {
        name: "weather",
        parameters: { type: "object", properties: { city: { type: "string", maxLength: 20 } }, required: ["city"], additionalProperties: false },
      },
    }],
  };
  const called = await openai.chat.completions.create(asked);
  found.call = called.choices[0].message.tool_calls[0].function;
  found.callReason = called.choices[0].finish_reason;
  const runner = openai.chat.completions.stream(asked);
  found.callStreamed = (await runner.finalChatCompletion()).choices[0].message.tool_calls[0].function;
}

console.log(JSON.stringify(found));
