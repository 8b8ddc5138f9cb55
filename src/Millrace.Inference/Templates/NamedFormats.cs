namespace Millrace.Inference.Templates;

/// <summary>
/// The prompt formats that LlamaEdge's users name, for model files that carry no template, or the wrong one. A name is
/// only ever given by a person: nothing is guessed from a template's text or a model's name.
/// </summary>
static class NamedFormats
{
    // What stands for a turn's text may be {text}, or {trimmed} where the format's own template trims it.
    static readonly Dictionary<string, TurnFormat> Formats = new()
    {
        ["baichuan-2"] = new("{text}", "<reserved_106>{text}", "<reserved_107>{text}{eos}", "<reserved_107>"),
        ["chatml"] = new(
            "<|im_start|>system\n{text}<|im_end|>\n", "<|im_start|>user\n{text}<|im_end|>\n",
            "<|im_start|>assistant\n{text}<|im_end|>\n",
            "<|im_start|>assistant\n"),
        ["codellama-super-instruct"] = new(
            "Source: system\n\n {trimmed} <step> ", "Source: user\n\n {trimmed} <step> ",
            "Source: assistant\nDestination: user\n\n {trimmed} <step> ", "Source: assistant\nDestination: user\n\n ", "{bos}"),
        ["deepseek-chat"] = new("{text}\n\n", "User: {text}\n\n", "Assistant: {text}{eos}", "Assistant:", "{bos}"),
        ["deepseek-chat-25"] = new("{text}", "<｜User｜>{text}", "<｜Assistant｜>{text}{eos}", "<｜Assistant｜>", "{bos}"),
        ["deepseek-coder"] = new(
            "{text}\n", "### Instruction:\n{text}\n", "### Response:\n{text}\n<|EOT|>\n", "### Response:\n", "{bos}"),
        ["exaone-chat"] = new(
            "[|system|]{text}[|endofturn|]\n", "[|user|]{text}\n", "[|assistant|]{text}[|endofturn|]\n", "[|assistant|]"),
        ["exaone-deep-chat"] = new(
            "[|system|]{text}[|endofturn|]\n", "[|user|]{text}\n", "[|assistant|]{text}[|endofturn|]\n", "[|assistant|]<thought>\n"),
        ["falcon3"] = new("<|system|>\n{text}\n", "<|user|>\n{text}\n", "<|assistant|>\n{text}{eos}\n", "<|assistant|>\n"),
        ["gemma-instruct"] = new(
            "{trimmed}\n\n", "<start_of_turn>user\n{system}{trimmed}<end_of_turn>\n", "<start_of_turn>model\n{trimmed}<end_of_turn>\n",
            "<start_of_turn>model\n", "{bos}"),
        ["glm-4-chat"] = new(
            "<|system|>\n{text}", "<|user|>\n{text}", "<|assistant|>\n{text}", "<|assistant|>\n", "[gMASK]<sop>"),
        ["human-assistant"] = new("{text}\n\n", "Human: {text}\n\n", "Assistant: {text}{eos}", "Assistant: ", "{bos}"),
        ["intel-neural"] = new(
            "### System:\n{text}\n", "### User:\n{text}\n", "### Assistant:\n{text}{eos}", "### Assistant:\n"),
        ["llama-2-chat"] = new(
            "<<SYS>>\n{text}\n<</SYS>>\n\n", "{bos}[INST] {system}{trimmed} [/INST]", " {trimmed} {eos}", ""),
        ["llama-3-chat"] = new(
            "<|start_header_id|>system<|end_header_id|>\n\n{trimmed}<|eot_id|>",
            "<|start_header_id|>user<|end_header_id|>\n\n{trimmed}<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n{trimmed}<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n", "{bos}"),
        ["llama-4-chat"] = new(
            "<|header_start|>system<|header_end|>\n\n{trimmed}<|eot|>", "<|header_start|>user<|header_end|>\n\n{trimmed}<|eot|>",
            "<|header_start|>assistant<|header_end|>\n\n{trimmed}<|eot|>", "<|header_start|>assistant<|header_end|>\n\n", "{bos}"),
        ["mediatek-breeze"] = new("{text} ", " [INST] {text} [/INST] ", "{text}", "", "{bos}"),
        ["megrez"] = new(
            "<|role_start|>system<|role_end|>{text}<|turn_end|>", "<|role_start|>user<|role_end|>{text}<|turn_end|>",
            "<|role_start|>assistant<|role_end|>{text}<|turn_end|>", "<|role_start|>assistant<|role_end|>"),
        ["mistral-instruct"] = new("{text}\n\n", "[INST] {system}{text} [/INST]", " {text}{eos}", "", "{bos}"),
        ["mistrallite"] = new("{text}\n", "<|prompter|>{text}{eos}", "<|assistant|>{text}{eos}", "<|assistant|>"),
        ["moxin-chat"] = new("{text}\n\n", "[INST] {system}{text} [/INST]", "{text}{eos}", "", "{bos}"),
        ["moxin-instruct"] = new(
            "<|system|>\n{text}\n", "<|user|>\n{text}\n", "<|assistant|>\n{text}{eos}\n", "<|assistant|>\n", "{bos}"),
        ["nemotron-chat"] = new(
            "<extra_id_0>System\n{text}\n\n", "<extra_id_1>User\n{text}\n", "<extra_id_1>Assistant\n{text}\n", "<extra_id_1>Assistant\n"),
        ["octopus"] = new("{text}\n\n", "Query: {text}\n\n", "Response: {text}{eos}\n\n", "Response:")
        {
            SystemWhenNone = "Below is the query from the users, "
                + "please call the correct function and generate the parameters to call the function.",
        },
        ["openchat"] = new(
            "GPT4 Correct System: {text}<|end_of_turn|>", "GPT4 Correct User: {text}<|end_of_turn|>",
            "GPT4 Correct Assistant: {text}<|end_of_turn|>", "GPT4 Correct Assistant:", "{bos}"),
        ["phi-2-chat"] = new("{text}\n", "Human: {text}\n", "AI: {text}\n", "AI:"),
        ["phi-2-instruct"] = new("{text}\n", "Instruct: {text}\n", "Output: {text}\n", "Output:"),
        ["phi-3-chat"] = new(
            "<|system|>\n{text}<|end|>\n", "<|user|>\n{text}<|end|>\n", "<|assistant|>\n{text}<|end|>\n", "<|assistant|>\n"),
        ["phi-4-chat"] = new(
            "<|im_start|>system<|im_sep|>{text}<|im_end|>", "<|im_start|>user<|im_sep|>{text}<|im_end|>",
            "<|im_start|>assistant<|im_sep|>{text}<|im_end|>", "<|im_start|>assistant<|im_sep|>"),
        ["seed-instruct"] = new(
            "<[begin▁of▁sentence]>system\n{text}\n\n<[end▁of▁sentence]>", "<[begin▁of▁sentence]>user\n{text}<[end▁of▁sentence]>",
            "<[begin▁of▁sentence]>assistant\n{text}<[end▁of▁sentence]>", "<[begin▁of▁sentence]>assistant\n"),
        ["solar-instruct"] = new(
            "### System:\n{text}\n\n", "### User:\n{text}\n\n", "### Assistant:\n{text}\n\n", "### Assistant:\n"),
        ["vicuna-1.0-chat"] = new("{text} ", "USER: {text} ", "ASSISTANT: {text}{eos}", "ASSISTANT:", "{bos}"),
        ["vicuna-1.1-chat"] = new("{text}\n", "USER: {text}\n", "ASSISTANT: {text}{eos}\n", "ASSISTANT:", "{bos}"),
        ["vicuna-llava"] = new("{text}\n", "USER:<image>\n{text}\n", "ASSISTANT: {text}{eos}\n", "ASSISTANT:", "{bos}"),
        ["wizard-coder"] = new("{text}\n\n", "### Instruction:\n{text}\n\n", "### Response:\n{text}\n\n", "### Response:")
        {
            SystemWhenNone = "Below is an instruction that describes a task. Write a response that appropriately completes the request.",
        },
        ["zephyr"] = new("<|system|>\n{text}{eos}\n", "<|user|>\n{text}{eos}\n", "<|assistant|>\n{text}{eos}\n", "<|assistant|>\n"),
    };

    // Names that mean the same prompt as another one.
    static readonly Dictionary<string, string> Aliases = new()
    {
        ["belle-llama-2-chat"] = "human-assistant",
        ["codellama-instruct"] = "llama-2-chat",
        ["deepseek-chat-2"] = "deepseek-chat",
        ["deepseek-chat-3"] = "deepseek-chat-25",
        ["gemma-3"] = "gemma-instruct",
        ["minicpmv"] = "chatml",
        ["phi-3-instruct"] = "phi-3-chat",
        ["qwen2-vision"] = "chatml",
        ["stablelm-zephyr"] = "zephyr",
    };

    // Models of these came with their template in the file, tools and all: the name chooses it, and at most a switch of it.
    static readonly Dictionary<string, (string Name, bool Value)?> Own = new()
    {
        ["chatml-think"] = null,
        ["chatml-tool"] = null,
        ["functionary-31"] = null,
        ["functionary-32"] = null,
        ["gpt-oss"] = null,
        ["groq-llama3-tool"] = null,
        ["internlm-2-tool"] = null,
        ["llama-3-tool"] = null,
        ["mistral-small-chat"] = null,
        ["mistral-small-tool"] = null,
        ["mistral-tool"] = null,
        ["nemotron-tool"] = null,
        ["qwen3-agent"] = null,
        ["qwen3-no-think"] = ("enable_thinking", false),
        ["seed-oss-no-think"] = ("enable_thinking", false),
        ["seed-oss-think"] = null,
        ["seed-reasoning"] = null,
        ["smol-vision"] = null,
        ["smol3-no-think"] = ("enable_thinking", false),
    };

    // No conversation is had with these.
    static readonly string[] NoChat = ["embedding", "none", "tts"];

    public static IEnumerable<string> Names =>
        Formats.Keys.Concat(Aliases.Keys).Concat(Own.Keys).Concat(NoChat).Order(StringComparer.Ordinal);

    /// <summary>The format of a name; null where the name means the template of the model file.</summary>
    /// <exception cref="InferenceException">There is no such name, or it is none of a conversation.</exception>
    public static TurnFormat? Find(string name)
    {
        if (Formats.GetValueOrDefault(Aliases.GetValueOrDefault(name, name)) is { } format) return format;
        if (Own.ContainsKey(name)) return null;
        if (NoChat.Contains(name)) throw new InferenceException("invalid", $"the template {name} is for models that hold no conversation");
        throw new InferenceException("invalid", $"there is no template {name}; known are: {string.Join(", ", Names)}");
    }

    /// <summary>What a name switches in the template of the model file; null for nothing.</summary>
    public static (string Name, bool Value)? Switch(string name) => Own.GetValueOrDefault(name);
}
