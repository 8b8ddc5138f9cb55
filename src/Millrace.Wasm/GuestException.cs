using System.Collections.Immutable;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>
/// A WebAssembly exception: one that no guest caught, or one that a host function throws for its caller to catch.
/// Guests catch nothing else: no trap, no interrupt, and no other exception of the host's.
/// </summary>
public sealed class GuestException : WasmException
{
    readonly ExceptionInstance _content;

    /// <summary>An exception for a host function to throw. Guests of other stores do not catch it.</summary>
    /// <param name="tag">Its tag.</param>
    /// <param name="values">Its values, as the tag's type says.</param>
    /// <exception cref="ArgumentException">The values do not fit the type, or belong to another store.</exception>
    public GuestException(Tag tag, params ReadOnlySpan<Value> values)
        : this(ExceptionInstance.From(tag, values)) { }

    internal GuestException(ExceptionInstance content)
        : base("uncaught exception") => _content = content;

    /// <inheritdoc/>
    // Written when somebody reads it: most are caught, and nobody does.
    public override string Message => $"{base.Message} with a tag of type {Tag.Type}";

    /// <summary>Its tag.</summary>
    public Tag Tag => _content.Tag;

    /// <summary>Its values.</summary>
    public ReadOnlySpan<Value> Values => _content.Values.AsSpan(0, Tag.Type.Parameters.Length);

    /// <summary>Guest frames that it passed since it was thrown last, innermost first; at most 64.</summary>
    public ImmutableArray<GuestFrame> Backtrace => Trace.Frames;

    internal Backtrace Trace { get; set; } = Runtime.Backtrace.Empty;

    internal ExceptionInstance Content => _content;
}
