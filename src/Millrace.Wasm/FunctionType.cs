using System.Collections.Immutable;

namespace Millrace.Wasm;

/// <summary>The type of a function: what it takes and what it gives.</summary>
public sealed class FunctionType(ImmutableArray<ValueType> parameters, ImmutableArray<ValueType> results)
    : IEquatable<FunctionType>
{
    /// <summary>Parameter types, first to last.</summary>
    public ImmutableArray<ValueType> Parameters { get; } = parameters;

    /// <summary>Result types, first to last.</summary>
    public ImmutableArray<ValueType> Results { get; } = results;

    /// <summary>A function type from two lists.</summary>
    public static FunctionType Of(ReadOnlySpan<ValueType> parameters, ReadOnlySpan<ValueType> results) =>
        new([.. parameters], [.. results]);

    /// <inheritdoc/>
    public bool Equals(FunctionType? other) =>
        other is not null && Parameters.SequenceEqual(other.Parameters) && Results.SequenceEqual(other.Results);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FunctionType);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var type in Parameters) hash.Add(type);
        hash.Add(-1);
        foreach (var type in Results) hash.Add(type);
        return hash.ToHashCode();
    }

    /// <summary>The type in the specification's notation: <c>[i32 i32] -> [i64]</c>.</summary>
    public override string ToString() => $"[{string.Join(' ', Parameters)}] -> [{string.Join(' ', Results)}]";
}
