using System.Globalization;
using Millrace.Wasm;
using Millrace.Wasm.Compilation;

namespace Millrace.Fuzz;

/// <summary>Runs generated modules here, and tells what happened in the words of <c>other.mjs</c>.</summary>
/// <param name="fault">A mistake that its compiler makes on purpose.</param>
sealed class OwnEngine(CompilerFault fault = CompilerFault.None) : IDisposable
{
    readonly Engine _engine = new(new() { Fault = fault });

    public List<string> Run(byte[] wasm, GeneratedModule module) => Run(wasm, module, []);

    /// <summary>As above, and adds up what the module counted.</summary>
    public List<string> Run(byte[] wasm, GeneratedModule module, Dictionary<string, long> executed)
    {
        using var store = new Store(_engine);
        Instance instance;
        try
        {
            instance = new Linker(_engine).Instantiate(store, Module.Compile(_engine, wasm));
        }
        catch (TrapException trap)
        {
            return [$"start: {Words(trap.Code)}"];
        }
        catch (WasmException fault)
        {
            return [$"compile: {fault.Message}"];
        }

        var lines = module.Calls.Select(call => $"{call.Name}: {Call(instance, call)}").ToList();
        foreach (var export in instance.Module.Exports)
        {
            if (export.Kind == ExternKind.Memory) lines.Add($"{export.Name}: {Hash(instance.FindMemory(export.Name)!)}");
            if (export.Kind == ExternKind.Global && export.Name.StartsWith('g'))
                lines.Add($"{export.Name}: {Shown(instance.FindGlobal(export.Name)!.Value, export.Name.Split('_')[1])}");
        }

        for (var i = 0; i < module.Counted.Length; i++)
        {
            var times = instance.FindGlobal($"c{i}")!.Value.AsI64;
            foreach (var (name, count) in module.Counted[i])
                executed[name] = executed.GetValueOrDefault(name) + (times * count);
        }

        return lines;
    }

    static string Call(Instance instance, GeneratedCall call)
    {
        if (instance.FindFunction(call.Name) is not { } function) return "missing"; // as in modules made smaller
        try
        {
            var values = function.Call([.. call.Arguments.Select(Argument)]);
            return string.Join(' ', values.Select((value, i) => Shown(value, call.Results[i])));
        }
        catch (TrapException trap)
        {
            return $"trap {Words(trap.Code)}";
        }
        catch (GuestException)
        {
            return "trap exception";
        }
    }

    static Value Argument(string text)
    {
        var (type, value) = (text[..3], text[4..]);
        return type switch
        {
            "i32" => Value.From(int.Parse(value, CultureInfo.InvariantCulture)),
            "i64" => Value.From(long.Parse(value, CultureInfo.InvariantCulture)),
            "f32" => Value.From(BitConverter.UInt32BitsToSingle(Convert.ToUInt32(value, 16))),
            _ => Value.From(BitConverter.UInt64BitsToDouble(Convert.ToUInt64(value, 16))),
        };
    }

    static string Shown(Value value, string type) => type switch
    {
        "i32" => value.AsI32.ToString(CultureInfo.InvariantCulture),
        "i64" => value.AsI64.ToString(CultureInfo.InvariantCulture),
        "f32" => float.IsNaN(value.AsF32) ? "nan" : BitConverter.SingleToUInt32Bits(value.AsF32).ToString("x"),
        _ => double.IsNaN(value.AsF64) ? "nan" : BitConverter.DoubleToUInt64Bits(value.AsF64).ToString("x"),
    };

    static string Hash(Memory memory)
    {
        var hash = 0x811c9dc5u;
        foreach (var value in memory.Span(0, (uint)memory.ByteLength)) hash = (hash ^ value) * 0x01000193;
        return $"{memory.ByteLength} {hash:x}";
    }

    // V8 has one message for a null and a callee of another type, and one for all conversions that do not fit.
    static string Words(TrapCode code) => code switch
    {
        TrapCode.OutOfBoundsMemoryAccess => "memory",
        TrapCode.IntegerDivideByZero => "zero",
        TrapCode.IntegerOverflow or TrapCode.InvalidConversionToInteger => "overflow",
        TrapCode.UninitializedElement or TrapCode.IndirectCallTypeMismatch => "callee",
        TrapCode.UndefinedElement or TrapCode.OutOfBoundsTableAccess => "table",
        TrapCode.NullReference => "null",
        TrapCode.CastFailure => "cast",
        TrapCode.OutOfBoundsArrayAccess => "array",
        TrapCode.CallStackExhausted => "stack",
        _ => code.Text(),
    };

    public void Dispose() => _engine.Dispose();
}
