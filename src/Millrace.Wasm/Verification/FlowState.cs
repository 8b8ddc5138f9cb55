namespace Millrace.Wasm.Verification;

/// <summary>What is known where control is.</summary>
/// <param name="slotCount">Arguments, locals, and results that are written elsewhere.</param>
sealed class FlowState(int slotCount)
{
    SharedArray<int> _slots = new(slotCount);
    SharedArray<ulong> _lengths;
    SharedArray<ulong> _checkedBytes; // of memory 0
    SharedArray<ulong>[] _checkedBytesOfOthers = [];

    /// <summary>Work that copying or joining takes, as so many instructions.</summary>
    public int Cost => 1 + _slots.ChunkCount * (2 + _checkedBytesOfOthers.Length) / 8;

    /// <summary>What an argument or local holds, and behind them whether a result is written; 0 for nothing.</summary>
    public int this[int slot]
    {
        get => _slots[slot];
        set => _slots.Set(slot, value, slotCount);
    }

    public FlowState Copy()
    {
        var copy = (FlowState)MemberwiseClone();
        copy._slots = _slots.Copy();
        copy._lengths = _lengths.Copy();
        copy._checkedBytes = _checkedBytes.Copy();
        if (_checkedBytesOfOthers.Length != 0)
            copy._checkedBytesOfOthers = Array.ConvertAll(_checkedBytesOfOthers, static known => known.Copy());
        return copy;
    }

    /// <summary>Bytes that a memory was seen to have.</summary>
    public ulong LengthOf(int memory) => memory < _lengths.Length ? _lengths[memory] : 0;

    public void AddLength(int memory, ulong bytes, int memoryCount)
    {
        if (LengthOf(memory) < bytes) _lengths.Set(memory, bytes, memoryCount);
    }

    /// <summary>Bytes behind the address in a slot that are known to be in that memory.</summary>
    public ulong CheckedBytes(int memory, int slot)
    {
        if (memory == 0) return _checkedBytes[slot];
        return memory <= _checkedBytesOfOthers.Length ? _checkedBytesOfOthers[memory - 1][slot] : 0;
    }

    public void AddCheck(int memory, int slot, ulong bytes)
    {
        if (CheckedBytes(memory, slot) >= bytes) return;
        if (memory > _checkedBytesOfOthers.Length) Array.Resize(ref _checkedBytesOfOthers, memory);
        ref var known = ref memory == 0 ? ref _checkedBytes : ref _checkedBytesOfOthers[memory - 1];
        known.Set(slot, bytes, slotCount);
    }

    /// <summary>When a slot is assigned.</summary>
    public void ForgetChecks(int slot)
    {
        _checkedBytes.Set(slot, 0, slotCount);
        for (var i = 0; i < _checkedBytesOfOthers.Length; i++) _checkedBytesOfOthers[i].Set(slot, 0, slotCount);
    }

    public void ForgetChecks() => (_checkedBytes, _checkedBytesOfOthers) = (default, []);

    /// <summary>Keeps what holds here and there; whether that is less than was known here.</summary>
    public bool Join<TJoin>(FlowState other, TJoin joinSlots)
        where TJoin : struct, IJoin<int>
    {
        var hasChanged = _slots.Join(other._slots, joinSlots);
        hasChanged |= _lengths.Join(other._lengths, default(LeastJoin));
        hasChanged |= _checkedBytes.Join(other._checkedBytes, default(LeastJoin));
        for (var m = 0; m < _checkedBytesOfOthers.Length; m++)
        {
            var theirs = m < other._checkedBytesOfOthers.Length ? other._checkedBytesOfOthers[m] : default;
            hasChanged |= _checkedBytesOfOthers[m].Join(theirs, default(LeastJoin));
        }
        return hasChanged;
    }

    readonly struct LeastJoin : IJoin<ulong>
    {
        public ulong Join(int index, ulong left, ulong right) => Math.Min(left, right);
    }
}
