using System.Collections.Immutable;

namespace Millrace.Inference;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">Text.</param>
public sealed record ChatTurn(string Role, string Content);

/// <summary>How tokens are chosen.</summary>
/// <param name="Temperature">0 takes the likeliest token.</param>
/// <param name="TopP">Nucleus sampling; 1 is off.</param>
/// <param name="Seed">Seed of the choice.</param>
public sealed record Sampling(double Temperature, double TopP, uint Seed);

/// <summary>A conversation to be answered.</summary>
/// <param name="Model">Path of the GGUF file.</param>
/// <param name="Turns">The conversation.</param>
/// <param name="MaxTokens">Most tokens of the answer.</param>
/// <param name="Sampling">How tokens are chosen.</param>
/// <param name="Stop">Texts that end the answer; they are not part of it.</param>
public sealed record ChatJob(
    string Model, ImmutableArray<ChatTurn> Turns, int MaxTokens, Sampling Sampling, ImmutableArray<string> Stop);

/// <summary>What the model answered.</summary>
/// <param name="Content">Text; bytes that are no UTF-8 are U+FFFD.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>.</param>
/// <param name="PromptTokens">Tokens read.</param>
/// <param name="CompletionTokens">Tokens written.</param>
public sealed record ChatReply(string Content, string FinishReason, int PromptTokens, int CompletionTokens);
