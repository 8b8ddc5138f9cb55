using System.Collections.Immutable;

namespace Millrace.Flows;

/// <summary>The models of this machine; the server supplies them. Remote models are integrations.</summary>
public interface ILanguageModel
{
    /// <summary>The local models, the default one first.</summary>
    Task<ImmutableArray<LanguageModel>> ListAsync(CancellationToken cancel);

    /// <summary>Tokens of a conversation as the model's own tokenizer counts them.</summary>
    Task<int> CountTokensAsync(string model, ImmutableArray<ChatMessage> messages, CancellationToken cancel);

    /// <summary>Answers a conversation.</summary>
    /// <exception cref="LanguageModelException">The model could not answer.</exception>
    Task<ChatAnswer> ChatAsync(ChatRequest request, CancellationToken cancel);
}

/// <summary>One local model.</summary>
/// <param name="Name">How flows name it.</param>
/// <param name="ContextTokens">Tokens of prompt and answer together.</param>
/// <param name="Passed">Whether <c>models check</c> passed: prose of other models is not posted.</param>
/// <param name="Reason">Why it did not pass, one sentence; empty when it passed.</param>
public sealed record LanguageModel(string Name, int ContextTokens, bool Passed, string Reason);

/// <summary>One message of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">Text.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>What a model is asked.</summary>
/// <param name="Model">Its name, as listed.</param>
/// <param name="Messages">The conversation.</param>
/// <param name="MaxTokens">Most tokens of the answer.</param>
public sealed record ChatRequest(string Model, ImmutableArray<ChatMessage> Messages, int MaxTokens)
{
    /// <summary>Sampling temperature; 0 takes the likeliest token.</summary>
    public double Temperature { get; init; }

    /// <summary>Nucleus sampling.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Texts that end the answer.</summary>
    public ImmutableArray<string> Stop { get; init; } = [];

    /// <summary>Seed of the sampling, or null for one of the model's choice.</summary>
    public long? Seed { get; init; }
}

/// <summary>What a model answered.</summary>
/// <param name="Content">Text.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>.</param>
/// <param name="PromptTokens">Tokens read.</param>
/// <param name="CompletionTokens">Tokens written.</param>
public sealed record ChatAnswer(string Content, string FinishReason, int PromptTokens, int CompletionTokens);

/// <summary>A local model could not answer.</summary>
/// <param name="type">The error's type: <c>model-unavailable</c>, <c>context-exceeded</c>, <c>invalid</c>.</param>
/// <param name="message">One sentence for a person.</param>
/// <param name="isTransient">Whether asking again may help, as after the worker's death.</param>
public sealed class LanguageModelException(string type, string message, bool isTransient = false) : Exception(message)
{
    /// <summary>The error result's type.</summary>
    public string Type { get; } = type;

    /// <summary>Whether asking again may help.</summary>
    public bool IsTransient { get; } = isTransient;
}
