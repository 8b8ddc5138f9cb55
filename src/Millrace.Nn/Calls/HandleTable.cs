using System.Diagnostics.CodeAnalysis;

namespace Millrace.Nn.Calls;

/// <summary>Numbers for a guest's things: from 0 up, and none is given twice.</summary>
/// <param name="kind">What they are.</param>
/// <param name="countMax">How many there may be at one time.</param>
sealed class HandleTable<T>(string kind, int countMax)
{
    readonly Dictionary<uint, T> _all = [];
    uint _next;

    public IEnumerable<T> All => _all.Values;

    /// <summary>Refuses where there is no room for one more.</summary>
    public void Reserve()
    {
        if (_all.Count >= countMax)
            throw new NnException(NnErrno.TooLarge, $"there are {countMax} {kind}s already, which is the limit");
        if (_next == uint.MaxValue) throw new NnException(NnErrno.RuntimeError, $"no number is left for a {kind}");
    }

    public uint Add(T one)
    {
        _all.Add(_next, one);
        return _next++;
    }

    public T Find(uint handle) => TryFind(handle, out var one)
        ? one : throw new NnException(NnErrno.InvalidArgument, $"there is no {kind} {handle}");

    public bool TryFind(uint handle, [MaybeNullWhen(false)] out T one) => _all.TryGetValue(handle, out one);

    public void Remove(uint handle) => _all.Remove(handle);
}
