using Millrace.Wasm.Compilation;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// A function type as the engine knows it: equal types have the same object, so that call_indirect compares numbers.
/// Its two crossings between host and guest are compiled when first needed.
/// </summary>
sealed class Signature(SignatureTable owner, int id, FunctionType type)
{
    /// <summary>The type's number in the engine.</summary>
    public int Id { get; } = id;

    /// <summary>The type; it names others by their numbers.</summary>
    public FunctionType Type { get; } = type;

    /// <summary>Numbers of its supertypes from the root down, its own last.</summary>
    public int[] Lineage => field ??= owner.LineageOf(Id);

    /// <summary>Code with the calling convention of guest functions that calls a host function.</summary>
    public nint HostEntry => (Crossings ?? owner.Cross(this)).HostEntry;

    /// <summary>Code that calls a guest function with values from an array.</summary>
    public nint GuestEntry => (Crossings ?? owner.Cross(this)).GuestEntry;

    public Crossings? Crossings { get; set; }
}

/// <summary>Code pointers of a signature's crossings, and what keeps the code alive.</summary>
sealed record Crossings(nint HostEntry, nint GuestEntry, GuestImage Code);

/// <summary>
/// The canonical function types of an engine. Their numbers stay as long as it does; a signature and the code of its
/// crossings go with the last module, function or linker that has it.
/// </summary>
sealed class SignatureTable(TypeCanonicalizer types)
{
    const int FirstSweep = 1024;

    readonly Lock _gate = new();
    readonly Dictionary<int, WeakReference<Signature>> _signatures = [];
    int _sweepAt = FirstSweep;

    /// <summary>Of a type that names others by their numbers.</summary>
    public Signature Of(FunctionType type) => Of(types.Add(type), type);

    /// <summary>Of a type whose number is known.</summary>
    public Signature Of(int id, FunctionType type)
    {
        lock (_gate)
        {
            if (_signatures.TryGetValue(id, out var known) && known.TryGetTarget(out var signature)) return signature;
            if (_signatures.Count >= _sweepAt) Sweep();
            signature = new Signature(this, id, type);
            _signatures[id] = new(signature);
            return signature;
        }
    }

    // Doubling what is left before the next one keeps the work of all sweeps in proportion to the types that came.
    void Sweep()
    {
        foreach (var (id, known) in _signatures)
        {
            if (!known.TryGetTarget(out _)) _signatures.Remove(id);
        }
        _sweepAt = Math.Max(FirstSweep, 2 * _signatures.Count);
    }

    public int[] LineageOf(int id) => types.LineageOf(id);

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
