using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>
/// What exceptions are told apart by (core specification, section 2.5.7). Each tag that a module defines is another
/// one in each of its instances, whatever its type; importing and exporting share it.
/// </summary>
public sealed class Tag
{
    /// <summary>A tag of the host's making: for imports, and for exceptions that host functions throw.</summary>
    /// <param name="store">The store it belongs to.</param>
    /// <param name="type">Parameters: the types of an exception's values. There are no results.</param>
    /// <exception cref="ArgumentException">The type has results.</exception>
    public Tag(Store store, FunctionType type)
        : this(store, store.Engine.Signatures.Of(type))
    {
        if (!type.Results.IsEmpty) throw new ArgumentException("a tag's type has no results", nameof(type));
    }

    internal Tag(Store store, Signature signature) => (Store, Signature) = (store, signature);

    internal Store Store { get; }

    internal Signature Signature { get; }

    /// <summary>Its type; the parameters are those of an exception's values.</summary>
    public FunctionType Type => Signature.Type;
}
