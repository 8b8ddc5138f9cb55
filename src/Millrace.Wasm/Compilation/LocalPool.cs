namespace Millrace.Wasm.Compilation;

/// <summary>The CIL locals of a function: the wasm locals first, then temporaries, which are reused by type.</summary>
sealed class LocalPool
{
    /// <summary>
    /// Most locals of a function, vectors counted twice. Bounds its frame to about half of
    /// <see cref="Runtime.StackBounds.Reserve"/>: the stack check compares the address after the frame was taken.
    /// </summary>
    public const int LocalsMax = 30_000;

    readonly List<Type> _types = [];
    readonly Stack<int>[] _free = Stacks();
    readonly Stack<int>[] _freeExposed = Stacks();
    readonly HashSet<int> _exposed = [];
    int _size;

    /// <summary>Whether <see cref="LocalsMax"/> holds.</summary>
    public bool IsBounded { get; init; } = true;

    /// <summary>Types of all locals.</summary>
    public IReadOnlyList<Type> Types => _types;

    public void Reset()
    {
        _types.Clear();
        _exposed.Clear();
        _size = 0;
        foreach (var stack in _free) stack.Clear();
        foreach (var stack in _freeExposed) stack.Clear();
    }

    /// <summary>A local for the whole function.</summary>
    public int Declare(Type type)
    {
        _size += type == CilType.V128.ToClr() ? 2 : 1;
        if (_size > LocalsMax && IsBounded)
            throw new UnsupportedFeatureException($"a function needs more than {LocalsMax} locals and temporaries");
        _types.Add(type);
        return _types.Count - 1;
    }

    public int Take(CilType type) => _free[(int)type].TryPop(out var local) ? local : Declare(type.ToClr());

    /// <summary>A temporary whose address is given away. Kept apart: the JIT never puts it in a register.</summary>
    public int TakeExposed(CilType type)
    {
        if (_freeExposed[(int)type].TryPop(out var local)) return local;
        local = Declare(type.ToClr());
        _exposed.Add(local);
        return local;
    }

    public void Free(CilType type, int local) =>
        (_exposed.Contains(local) ? _freeExposed : _free)[(int)type].Push(local);

    static Stack<int>[] Stacks() => [.. Enumerable.Range(0, CilTypes.Count).Select(_ => new Stack<int>())];
}
