using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm;

/// <summary>
/// A struct, an array or an <c>i31</c> of a guest, as the host sees it: something to hold, and to give back to the
/// store that it came from. It lives in the .NET heap as long as anything refers to it.
/// </summary>
public abstract class GuestObject
{
    // What guest code reads to cast a reference.
    internal readonly GuestType Type;

    internal GuestObject(GuestType type) => Type = type;

    /// <summary><see cref="HeapKind.Struct"/>, <see cref="HeapKind.Array"/> or <see cref="HeapKind.I31"/>.</summary>
    public HeapKind Kind => Type.Kind;

    /// <summary>The number in an <c>i31</c>, with its sign.</summary>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public int AsI31 => this is GuestI31 i31
        ? i31.Number
        : throw new InvalidOperationException($"a {Kind.ToString().ToLowerInvariant()} is no i31");
}
