using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Runtime;

/// <summary>What crossings between host and guest call (see <see cref="Compilation.CrossingCompiler"/>).</summary>
static class HostCalls
{
    const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)] public static int ReadI32(ref Value first, int index) => Unsafe.Add(ref first, index).AsI32;
    [MethodImpl(Inline)] public static long ReadI64(ref Value first, int index) => Unsafe.Add(ref first, index).AsI64;
    [MethodImpl(Inline)] public static float ReadF32(ref Value first, int index) => Unsafe.Add(ref first, index).AsF32;
    [MethodImpl(Inline)] public static double ReadF64(ref Value first, int index) => Unsafe.Add(ref first, index).AsF64;

    [MethodImpl(Inline)]
    public static Vector128<byte> ReadV128(ref Value first, int index) => Unsafe.Add(ref first, index).AsV128;

    [MethodImpl(Inline)]
    public static object? ReadObject(ref Value first, int index) => Unsafe.Add(ref first, index).AsReference;

    [MethodImpl(Inline)]
    public static void WriteI32(ref Value first, int index, int value) =>
        Unsafe.Add(ref first, index) = Value.From(value);

    [MethodImpl(Inline)]
    public static void WriteI64(ref Value first, int index, long value) =>
        Unsafe.Add(ref first, index) = Value.From(value);

    [MethodImpl(Inline)]
    public static void WriteF32(ref Value first, int index, float value) =>
        Unsafe.Add(ref first, index) = Value.From(value);

    [MethodImpl(Inline)]
    public static void WriteF64(ref Value first, int index, double value) =>
        Unsafe.Add(ref first, index) = Value.From(value);

    [MethodImpl(Inline)]
    public static void WriteV128(ref Value first, int index, Vector128<byte> value) =>
        Unsafe.Add(ref first, index) = Value.From(value);

    [MethodImpl(Inline)]
    public static void WriteObject(ref Value first, int index, object? value) =>
        Unsafe.Add(ref first, index) = Value.FromReference(value);

    /// <summary>Room for arguments and results: the function's own, or new where the call is within another.</summary>
    public static Value[] Begin(Function function)
    {
        var type = function.Type;
        // One more, so that there is a first element to refer to.
        var values = function.Buffer ?? new Value[type.Parameters.Length + type.Results.Length + 1];
        function.Buffer = null;
        return values;
    }

    public static ref Value First(Value[] values) => ref values[0];

    /// <summary>Runs the host function: arguments first in <paramref name="values"/>, then the results.</summary>
    public static void Invoke(Function function, Value[] values)
    {
        var type = function.Type;
        var arguments = values.AsSpan(0, type.Parameters.Length);
        var results = values.AsSpan(type.Parameters.Length, type.Results.Length);
        function.Host!(function.Caller!, arguments, results);
        for (var i = 0; i < results.Length; i++)
        {
            if (type.Results[i].Kind == ValueKind.Ref)
                References.Check(function.Store, type.Results[i], results[i].AsReference);
        }
    }

    public static void End(Function function, Value[] values)
    {
        Array.Clear(values);
        function.Buffer = values;
    }
}
