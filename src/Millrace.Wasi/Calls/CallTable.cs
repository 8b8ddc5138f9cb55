using Millrace.Wasi.Abi;
using Millrace.Wasm;
using ValueType = Millrace.Wasm.ValueType;

namespace Millrace.Wasi.Calls;

/// <summary>One call's arguments, by position.</summary>
readonly ref struct Arguments(ReadOnlySpan<Value> values)
{
    readonly ReadOnlySpan<Value> _values = values;

    public uint U32(int index) => (uint)_values[index].AsI32;

    public ulong U64(int index) => (ulong)_values[index].AsI64;
}

delegate Errno WasiCall(WasiContext context, IGuestMemory memory, Arguments arguments);

/// <summary>One function of preview 1 or of its extension for sockets.</summary>
/// <param name="Name">The specification's name.</param>
/// <param name="Parameters">A letter a parameter: <c>i</c> for i32, <c>I</c> for i64.</param>
/// <param name="Call">What it does.</param>
sealed record CallEntry(string Name, string Parameters, WasiCall Call)
{
    public FunctionType Type { get; } = new(
        [.. Parameters.Select(letter => letter == 'I' ? ValueType.I64 : ValueType.I32)],
        Name == "proc_exit" ? [] : [ValueType.I32]);

    public Errno Invoke(WasiContext context, IGuestMemory memory, ReadOnlySpan<Value> arguments)
    {
        try
        {
            return Call(context, memory, new(arguments));
        }
        catch (GuestFaultException)
        {
            return Errno.Fault;
        }
        catch (GuestTextException)
        {
            return Errno.Ilseq;
        }
    }
}

/// <summary>All functions that guests can import.</summary>
static class CallTable
{
    public static readonly CallEntry[] All = [.. Preview1, .. Extension];

    /// <summary>All of preview 1.</summary>
    public static CallEntry[] Preview1 =>
    [
        .. ArgumentCalls.Entries, .. ClockCalls.Entries, .. DescriptorCalls.Entries, .. StreamCalls.Entries,
        .. DirectoryCalls.Entries, .. PathCalls.Entries, .. PollCalls.Entries, .. ProcessCalls.Entries,
        .. SocketCalls.Entries, .. SocketTransferCalls.Entries,
    ];

    /// <summary>The extension for sockets. Some of its names have two types, one of them that of preview 1: a guest's
    /// import says by its type which it means.</summary>
    public static CallEntry[] Extension =>
    [
        .. SocketCalls.Extension, .. SocketTransferCalls.Extension, .. SocketOptionCalls.Entries,
        .. ResolutionCalls.Entries,
    ];
}
