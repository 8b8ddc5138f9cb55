using System.Collections.Immutable;

namespace Millrace.Inference;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>, or what else the template knows.</param>
/// <param name="Content">Text.</param>
public sealed record ChatTurn(string Role, string Content)
{
    /// <summary>Who speaks, or which tool answered; null where it is not said.</summary>
    public string? Name { get; init; }

    /// <summary>What the assistant called in this turn.</summary>
    public ImmutableArray<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>Which call a turn of the role <c>tool</c> answers.</summary>
    public string? ToolCallId { get; init; }
}

/// <summary>A call of a tool that the model asks for.</summary>
/// <param name="Id">Names the call in the conversation.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">A JSON object that meets the tool's schema.</param>
public sealed record ToolCall(string Id, string Name, string Arguments);

/// <summary>A conversation to be answered, or a text to be gone on with.</summary>
/// <param name="Model">Path of the GGUF file.</param>
/// <param name="Turns">The conversation; empty where <see cref="Prompt"/> is given.</param>
/// <param name="MaxTokens">Most tokens of the answer; -1 for as many as the context has room for.</param>
/// <param name="Sampling">How tokens are chosen.</param>
/// <param name="Stop">Texts that end the answer; they are not part of it.</param>
public sealed record ChatJob(
    string Model, ImmutableArray<ChatTurn> Turns, int MaxTokens, Sampling Sampling, ImmutableArray<string> Stop)
{
    /// <summary>A text that the model goes on with as it stands, without a template; null for a conversation.</summary>
    public string? Prompt { get; init; }

    /// <summary>Tools as JSON: <c>{"type":"function","function":{"name":…,"description":…,"parameters":schema}}</c>.</summary>
    public ImmutableArray<string> Tools { get; init; } = [];

    /// <summary><c>auto</c>, <c>none</c>, <c>required</c>, or the name of the tool that must be called.</summary>
    public string ToolChoice { get; init; } = "auto";

    /// <summary>Whether it may go on beyond what the model was trained for, where the loaded context has room.</summary>
    public bool IsStretched { get; init; }

    /// <summary>What form the answer must have.</summary>
    public AnswerFormat Format { get; init; } = AnswerFormat.Text;

    /// <summary>How many of the likeliest tokens are told beside each chosen one, up to 20; null to tell no chances.</summary>
    public int? Logprobs { get; init; }

    /// <summary>
    /// The prompt's format by its LlamaEdge name, such as <c>llama-2-chat</c>, in place of the model file's own template;
    /// null for the file's.
    /// </summary>
    public string? Template { get; init; }

    /// <summary>More variables of the model's template, JSON such as <c>{"enable_thinking":false}</c>; null for none.</summary>
    public string? TemplateVariables { get; init; }
}

/// <summary>What the model answered.</summary>
/// <param name="Content">Text; bytes that are no UTF-8 are U+FFFD. Empty where tools are called.</param>
/// <param name="FinishReason"><c>stop</c>, <c>length</c> or <c>tool_calls</c>.</param>
/// <param name="PromptTokens">Tokens read.</param>
/// <param name="CompletionTokens">Tokens written.</param>
public sealed record ChatReply(string Content, string FinishReason, int PromptTokens, int CompletionTokens)
{
    /// <summary>How many of the tokens read were there already from earlier requests.</summary>
    public int CachedTokens { get; init; }

    /// <summary>The tools that are called.</summary>
    public ImmutableArray<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>The tokens written, with their chances, where the job asks for them.</summary>
    public ImmutableArray<TokenChoice> Tokens { get; init; } = [];
}

/// <summary>A piece of an answer as it grows.</summary>
/// <param name="Text">What is new: whole characters, and nothing that may yet be part of a stop text or a tool call.</param>
public sealed record ChatPart(string Text)
{
    /// <summary>The tokens behind the text, with their chances, where the job asks for them.</summary>
    public ImmutableArray<TokenChoice> Tokens { get; init; } = [];

    /// <summary>Only in the last part.</summary>
    public ChatEnd? End { get; init; }
}

/// <summary>How an answer ended.</summary>
/// <param name="FinishReason"><c>stop</c>, <c>length</c> or <c>tool_calls</c>.</param>
/// <param name="PromptTokens">Tokens read.</param>
/// <param name="CachedTokens">How many of them were there already from earlier requests.</param>
/// <param name="CompletionTokens">Tokens written.</param>
public sealed record ChatEnd(string FinishReason, int PromptTokens, int CachedTokens, int CompletionTokens)
{
    /// <summary>The tools that are called.</summary>
    public ImmutableArray<ToolCall> ToolCalls { get; init; } = [];
}

/// <summary>A token that was, or could have been, chosen.</summary>
/// <param name="Text">Its text; U+FFFD stands for what is half a character.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Logprob">Natural logarithm of its chance as the model gave it, before sampling.</param>
public sealed record TokenChoice(string Text, ImmutableArray<byte> Bytes, double Logprob)
{
    /// <summary>The likeliest tokens at this place, the likeliest first.</summary>
    public ImmutableArray<TokenChoice> Top { get; init; } = [];
}
