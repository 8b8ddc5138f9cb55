using System.Globalization;
using Millrace.Wasm;
using Millrace.Wasm.Compilation;

namespace Millrace.Fuzz;

/// <summary>Runs generated modules here, and tells what happened in the words of <c>other.mjs</c>.</summary>
sealed class OwnEngine : IDisposable
{
    static int _folders;

    readonly Engine _engine;
    readonly string _folder = Path.Combine(
        Path.GetTempPath(), $"millrace-fuzz-{Environment.ProcessId}-{Interlocked.Increment(ref _folders)}");

    /// <param name="mode">How it runs them: one of <see cref="Modes"/>.</param>
    /// <param name="fault">A mistake that its compiler makes on purpose.</param>
    public OwnEngine(string mode = "jit", CompilerFault fault = CompilerFault.None)
    {
        Mode = mode;
        // The verifier would refuse some mistakes, and here it is the comparison that is to find them.
        _engine = new(OptionsOf(mode) with
        {
            Fault = fault,
            IsVerified = fault == CompilerFault.None,
            Features = WasmFeatures.All,
        });
    }

    /// <summary>Names of modes, and what is special with them.</summary>
    public static IReadOnlyDictionary<string, string> Modes { get; } = new Dictionary<string, string>
    {
        ["jit"] = "as everywhere",
        ["portable"] = "memories in the C heap",
        ["metered"] = "instructions are counted",
        ["guard"] = "pages guard memories: accesses across the end may lose their trap",
        ["aot"] = "compiled ahead of time by crossgen2",
    };

    EngineOptions OptionsOf(string mode) => mode switch
    {
        "jit" => new() { IsPortable = false },
        "portable" => new() { IsPortable = true },
        "metered" => new() { IsPortable = false, IsMetered = true },
        "guard" => new() { IsPortable = false, MemoryChecks = MemoryChecks.Guarded },
        "aot" => new() { IsPortable = false, IsAheadOfTime = true, Cache = new CodeCache(_folder) },
        _ => throw new ArgumentException($"there is no mode {mode}; there are {string.Join(", ", Modes.Keys)}"),
    };

    /// <summary>The mode.</summary>
    public string Mode { get; }

    static readonly (string Name, Wasm.ValueType Type)[] Logged =
    [
        ("i32", Wasm.ValueType.I32), ("i64", Wasm.ValueType.I64), ("f32", Wasm.ValueType.F32), ("f64", Wasm.ValueType.F64),
        ("v128", Wasm.ValueType.V128),
    ];

    readonly List<string> _log = [];

    string Said() => _log.Count == 0 ? "" : $" said {string.Join(' ', _log)}";

    /// <summary>How often calls trapped, by reason.</summary>
    public Dictionary<TrapCode, long> Traps { get; } = [];

    public List<string> Run(byte[] wasm, GeneratedModule module) => Run(wasm, module, []);

    /// <summary>As above, and adds up what the module counted.</summary>
    public List<string> Run(byte[] wasm, GeneratedModule module, Dictionary<string, long> executed)
    {
        using var store = new Store(_engine);
        Instance instance;
        try
        {
            instance = Linker().Instantiate(store, Module.Compile(_engine, wasm));
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

    string Call(Instance instance, GeneratedCall call)
    {
        if (instance.FindFunction(call.Name) is not { } function) return "missing"; // as in modules made smaller
        _log.Clear();
        try
        {
            var values = function.Call([.. call.Arguments.Select(Argument)]);
            return string.Join(' ', values.Select((value, i) => Shown(value, call.Results[i]))) + Said();
        }
        catch (TrapException trap)
        {
            Traps[trap.Code] = Traps.GetValueOrDefault(trap.Code) + 1;
            return $"trap {Words(trap.Code)}{Said()}";
        }
        catch (GuestException)
        {
            return "trap exception";
        }
    }

    // What modules of wasm-opt tell on their way; JavaScript can take no v128.
    Linker Linker()
    {
        var linker = new Linker(_engine);
        foreach (var (name, type) in Logged)
        {
            linker.Define("fuzzing-support", $"log-{name}", FunctionType.Of([type], []), (_, arguments, _) => _log.Add(
                type == Wasm.ValueType.V128 ? throw new TrapException(TrapCode.HostFault) : Shown(arguments[0], name)));
        }

        return linker;
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
        TrapCode.UnalignedAtomic => "unaligned",
        TrapCode.ExpectedSharedMemory => "shared",
        TrapCode.OutOfMemory => "large",
        TrapCode.HostFault => "v128",
        _ => code.Text(),
    };

    public void Dispose()
    {
        _engine.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }
}
