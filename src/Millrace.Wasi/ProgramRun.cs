using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Millrace.Wasm;
using ValueType = Millrace.Wasm.ValueType;

namespace Millrace.Wasi;

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">The guest's exit code; 134, as an aborted program has, when it trapped or threw.</param>
/// <param name="Message">One sentence for a person; empty when it ended by itself.</param>
/// <param name="Results">What the invoked function returned, as text.</param>
public sealed record ProgramEnd(int ExitCode, string Message, ImmutableArray<string> Results)
{
    /// <summary>Guest frames of a trap or an exception, innermost first.</summary>
    public ImmutableArray<string> Backtrace { get; init; } = [];
}

/// <summary>Runs any WASI program in plain mode: real clock, real files, no journal.</summary>
public static class ProgramRun
{
    const int TrappedExitCode = 134;

    // Guests get megabytes of stack, as native programs do; the rest is for the host's own calls below them.
    const int GuestStackBytes = 4 << 20;
    const int ThreadStackBytes = 16 << 20;

    /// <summary>
    /// Runs a module to its end: <c>_start</c>, or the function named by <paramref name="invoke"/> with
    /// <paramref name="arguments"/> as numbers (<c>_initialize</c> is called first where there is one).
    /// </summary>
    /// <exception cref="MalformedException">The bytes are not a module.</exception>
    /// <exception cref="InvalidException">The module breaks a typing rule.</exception>
    /// <exception cref="LinkException">It imports what is not there.</exception>
    /// <exception cref="IOException">A directory cannot be opened.</exception>
    /// <exception cref="ArgumentException">There is no such function, or its arguments are others.</exception>
    public static ProgramEnd Execute(
        ReadOnlyMemory<byte> module, WasiOptions options, string? invoke = null,
        ImmutableArray<string> arguments = default)
    {
        ProgramEnd? end = null;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                // The edge of the program's thread: what fails here is the caller's to know.
                try
                {
                    end = ExecuteHere(module, options, invoke, arguments.IsDefault ? [] : arguments);
                }
                catch (Exception e)
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            },
            ThreadStackBytes);
        thread.Start();
        thread.Join();
        failure?.Throw();
        return end!;
    }

    static ProgramEnd ExecuteHere(
        ReadOnlyMemory<byte> bytes, WasiOptions options, string? invoke, ImmutableArray<string> arguments)
    {
        using var engine = new Engine();
        var module = Module.Compile(engine, bytes);
        using var store = new Store(engine, new() { StackBytesMax = GuestStackBytes });
        using var wasi = new WasiHost(options);
        var linker = new Linker(engine);
        wasi.Define(linker);
        try
        {
            var instance = linker.Instantiate(store, module);
            if (invoke is not null) instance.FindFunction("_initialize")?.Call();
            var name = invoke ?? "_start";
            var function = instance.FindFunction(name)
                ?? throw new ArgumentException($"the module exports no function '{name}'", nameof(invoke));
            var results = function.Call(invoke is null ? [] : Parse(invoke, function.Type, arguments));
            return new(0, "", [.. results.Select((value, i) => Text(value, function.Type.Results[i]))]);
        }
        catch (ProcExitException exit)
        {
            return new(exit.Code, "", []);
        }
        catch (TrapException trap)
        {
            return Aborted(trap.Message, trap.Backtrace);
        }
        catch (GuestException uncaught)
        {
            return Aborted(uncaught.Message, uncaught.Backtrace);
        }
    }

    static ProgramEnd Aborted(string message, ImmutableArray<GuestFrame> backtrace) =>
        new(TrappedExitCode, message, []) { Backtrace = [.. backtrace.Select(frame => frame.ToString())] };

    static Value[] Parse(string name, FunctionType type, ImmutableArray<string> texts)
    {
        var count = type.Parameters.Length;
        if (texts.Length != count)
            throw new ArgumentException($"'{name}' takes {count} arguments, not {texts.Length}", nameof(texts));
        return [.. texts.Select((text, i) => Parse(text, type.Parameters[i]))];
    }

    static Value Parse(string text, ValueType type)
    {
        var culture = CultureInfo.InvariantCulture;
        try
        {
            return type.Kind switch
            {
                // Both readings of the bits are written by people: -1 and 4294967295 are one i32.
                ValueKind.I32 when text.StartsWith('-') => Value.From(int.Parse(text, culture)),
                ValueKind.I32 => Value.From(unchecked((int)uint.Parse(text, culture))),
                ValueKind.I64 when text.StartsWith('-') => Value.From(long.Parse(text, culture)),
                ValueKind.I64 => Value.From(unchecked((long)ulong.Parse(text, culture))),
                ValueKind.F32 => Value.From(float.Parse(text, culture)),
                ValueKind.F64 => Value.From(double.Parse(text, culture)),
                _ => throw new ArgumentException($"an argument of type {type} cannot be written here", nameof(type)),
            };
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new ArgumentException($"'{text}' is no {type}", nameof(text), e);
        }
    }

    static string Text(Value value, ValueType type) => type.Kind switch
    {
        ValueKind.I32 => value.AsI32.ToString(CultureInfo.InvariantCulture),
        ValueKind.I64 => value.AsI64.ToString(CultureInfo.InvariantCulture),
        ValueKind.F32 => value.AsF32.ToString(CultureInfo.InvariantCulture),
        ValueKind.F64 => value.AsF64.ToString(CultureInfo.InvariantCulture),
        _ => type.ToString(),
    };
}
