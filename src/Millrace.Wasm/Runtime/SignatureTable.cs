using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// A function type as the engine knows it: equal types have the same object, so that call_indirect compares numbers.
/// Its two crossings between host and guest are compiled when first needed.
/// </summary>
sealed class Signature(SignatureTable owner, int id, FunctionType type)
{
    public int Id { get; } = id;

    public FunctionType Type { get; } = type;

    /// <summary>Code with the calling convention of guest functions that calls a host function.</summary>
    public nint HostEntry => (Crossings ?? owner.Cross(this)).HostEntry;

    /// <summary>Code that calls a guest function with values from an array.</summary>
    public nint GuestEntry => (Crossings ?? owner.Cross(this)).GuestEntry;

    public Crossings? Crossings { get; set; }
}

/// <summary>Code pointers of a signature's crossings, and what keeps the code alive.</summary>
sealed record Crossings(nint HostEntry, nint GuestEntry, GuestImage Code);

/// <summary>The canonical function types of an engine.</summary>
sealed class SignatureTable
{
    readonly Lock _gate = new();
    readonly Dictionary<FunctionType, Signature> _signatures = [];

    public Signature Of(FunctionType type)
    {
        lock (_gate)
        {
            if (_signatures.TryGetValue(type, out var signature)) return signature;
            return _signatures[type] = new Signature(this, _signatures.Count, type);
        }
    }

    /// <summary>Compiles the crossings of all these signatures that have none, in one image.</summary>
    public void Prepare(IEnumerable<Signature> signatures)
    {
        lock (_gate)
        {
            var missing = signatures.Where(signature => signature.Crossings is null).Distinct().ToArray();
            if (missing.Length != 0) CrossingCompiler.Compile(missing);
        }
    }

    public Crossings Cross(Signature signature)
    {
        Prepare([signature]);
        return signature.Crossings!;
    }
}
