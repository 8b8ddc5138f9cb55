namespace Millrace.Inference;

/// <summary>A model could not answer.</summary>
/// <param name="type">Stable type: <c>model-unavailable</c>, <c>context-exceeded</c>, <c>invalid</c>, <c>too-large</c>.</param>
/// <param name="message">One sentence for a person.</param>
/// <param name="isTransient">Whether asking again may help, as after the worker's death.</param>
public sealed class InferenceException(string type, string message, bool isTransient = false) : Exception(message)
{
    /// <summary>Whether the form is wrong that the answer must have: its schema or grammar.</summary>
    public bool IsOfFormat { get; init; }

    /// <summary>Stable type.</summary>
    public string Type { get; } = type;

    /// <summary>Whether asking again may help.</summary>
    public bool IsTransient { get; } = isTransient;
}
