using Millrace.Nn.Images;
using Millrace.Wasm;
using ValueType = Millrace.Wasm.ValueType;

namespace Millrace.Nn.Calls;

/// <summary>One call's arguments, by position.</summary>
readonly ref struct Arguments(ReadOnlySpan<Value> values)
{
    readonly ReadOnlySpan<Value> _values = values;

    public uint this[int index] => (uint)_values[index].AsI32;
}

delegate void NnCall(NnSession session, GuestMemory memory, Arguments arguments);

/// <summary>One function that guests import.</summary>
/// <param name="Module">The import's first name.</param>
/// <param name="Name">Its second.</param>
/// <param name="Parameters">How many numbers it takes.</param>
/// <param name="Call">What it does; an <see cref="NnException"/> becomes its errno.</param>
sealed record CallEntry(string Module, string Name, int Parameters, NnCall Call)
{
    /// <summary>What a bad pointer is answered with.</summary>
    public NnErrno Fault { get; init; } = NnErrno.InvalidArgument;

    /// <summary>Whether it answers 1 to whatever goes wrong.</summary>
    public bool IsBinary { get; init; }

    public FunctionType Type { get; } = new([.. Enumerable.Repeat(ValueType.I32, Parameters)], [ValueType.I32]);

    public NnErrno Invoke(NnSession session, GuestMemory memory, ReadOnlySpan<Value> arguments)
    {
        try
        {
            Call(session, memory, new(arguments));
            return NnErrno.Success;
        }
        catch (NnException e)
        {
            // The end of a text is no failure.
            if (e.Errno != NnErrno.EndOfSequence) session.Log($"{Module}.{Name}: {e.Message} (errno {(int)e.Errno})");
            return IsBinary ? NnErrno.InvalidArgument : e.Errno;
        }
        catch (Exception e) when (e is not (WasmException or OperationCanceledException))
        {
            // The edge of a call: what an engine did not foresee, as a model that was made to break it, ends the call and
            // not the host.
            var errno = IsBinary ? NnErrno.InvalidArgument : NnErrno.RuntimeError;
            session.Log($"{Module}.{Name}: the engine failed: {e.Message} (errno {(int)errno})");
            return errno;
        }
    }
}

/// <summary>All functions that answer an errno.</summary>
static class CallTable
{
    public static readonly CallEntry[] All =
        [.. GraphCalls.Entries, .. ContextCalls.Entries, .. TensorFlowCalls.Entries, .. ImageCalls.Entries];
}
