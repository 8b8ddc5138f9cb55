using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.Intrinsics;
using Millrace.Wasm;
using ValueType = Millrace.Wasm.ValueType;

namespace Millrace.Wasi;

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">The guest's exit code; 134, as an aborted program has, when it trapped or threw.</param>
/// <param name="Message">One sentence for a person; empty when it ended by itself.</param>
/// <param name="Results">What the invoked function returned, as text.</param>
public sealed record ProgramEnd(int ExitCode, string Message, ImmutableArray<string> Results)
{
    /// <summary>Why it trapped; null: it did not.</summary>
    public TrapCode? Trap { get; init; }

    /// <summary>Guest frames of a trap or an exception, innermost first.</summary>
    public ImmutableArray<string> Backtrace { get; init; } = [];
}

/// <summary>Runs any WASI program in plain mode: real clock, real files, no journal.</summary>
public static class ProgramRun
{
    const int TrappedExitCode = 134;

    // Guests get megabytes of stack, as native programs do; the rest is for the host's own calls below them.
    const int GuestStackBytes = 4 << 20;
    const int HostStackBytes = 12 << 20;

    // How long a guest that was stopped may take to notice: a read of its input may never end.
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Runs a module to its end: <c>_start</c>, or what the options say (<c>_initialize</c> is called first
    /// where there is one).</summary>
    /// <param name="module">The binary module.</param>
    /// <param name="wasi">What it finds around it.</param>
    /// <param name="options">What is called, and how much it may take.</param>
    /// <exception cref="MalformedException">The bytes are not a module.</exception>
    /// <exception cref="InvalidException">The module breaks a typing rule.</exception>
    /// <exception cref="UnsupportedFeatureException">It uses what is not there.</exception>
    /// <exception cref="LinkException">It imports what is not there, or needs more memory than it may have.</exception>
    /// <exception cref="PlatformNotSupportedException">Its memory cannot be guarded by pages here.</exception>
    /// <exception cref="IOException">A directory cannot be opened.</exception>
    /// <exception cref="ArgumentException">There is no such function, or its arguments are others.</exception>
    public static ProgramEnd Execute(
        ReadOnlyMemory<byte> module, WasiOptions wasi, ProgramOptions? options = null)
    {
        options ??= new();
        ProgramEnd? end = null;
        ExceptionDispatchInfo? failure = null;
        // Not disposed of: a guest that never notices its end still looks at the one, and sets the other.
        var stop = new CancellationTokenSource();
        var ended = new ManualResetEventSlim();
        var thread = new Thread(Run, (options.StackBytesMax ?? GuestStackBytes) + HostStackBytes) { IsBackground = true };
        thread.Start();
        WaitHandle.WaitAny([ended.WaitHandle, stop.Token.WaitHandle]);
        if (!ended.Wait(stop.IsCancellationRequested ? Grace : Timeout.InfiniteTimeSpan))
            return new(TrappedExitCode, TimeIsUp(options), []);
        failure?.Throw();
        return end!;

        void Run()
        {
            // The edge of the program's thread: what fails here is the caller's to know.
            try
            {
                end = ExecuteHere(module, wasi with { Stop = stop.Token }, options, stop);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }

            ended.Set();
        }
    }

    static ProgramEnd ExecuteHere(
        ReadOnlyMemory<byte> bytes, WasiOptions options, ProgramOptions program, CancellationTokenSource stop)
    {
        using var engine = new Engine(new()
        {
            IsMetered = program.Fuel is not null,
            Cache = program.Cache,
            MemoryChecks = program.HasGuardPages ? MemoryChecks.Guarded : MemoryChecks.Explicit,
        });
        var module = Module.Compile(engine, bytes);
        var limits = new StoreLimits { StackBytesMax = program.StackBytesMax ?? GuestStackBytes };
        if (program.MemoryBytesMax is { } max) limits = limits with { MemoryBytesMax = max, ObjectBytesMax = max };
        using var store = new Store(engine, limits);
        if (program.Fuel is { } fuel) store.Fuel = fuel;
        using var wasi = new WasiHost(options);
        var linker = new Linker(engine);
        wasi.Define(linker);
        using var imports = program.Imports?.Invoke(linker, stop.Token);
        using var interrupt = stop.Token.Register(store.Interrupt);
        using var timer = program.Timeout is { } timeout
            ? options.Time.CreateTimer(_ => stop.Cancel(), null, timeout, Timeout.InfiniteTimeSpan)
            : null;
        try
        {
            return Call(linker.Instantiate(store, module), program);
        }
        catch (ProcExitException exit)
        {
            return new(exit.Code, "", []);
        }
        catch (TrapException trap)
        {
            var isStopped = trap.Code == TrapCode.Interrupted && stop.IsCancellationRequested;
            return Aborted(isStopped ? TimeIsUp(program) : trap.Message, trap.Backtrace) with { Trap = trap.Code };
        }
        catch (GuestException uncaught)
        {
            return Aborted(uncaught.Message, uncaught.Backtrace);
        }
    }

    static ProgramEnd Call(Instance instance, ProgramOptions program)
    {
        var (name, arguments) = (program.Invoke, program.Arguments);
        if (name is not null || program.IsReactor) instance.FindFunction("_initialize")?.Call();
        if (name is null && program.IsReactor)
        {
            if (arguments.IsEmpty) return new(0, "", []);
            (name, arguments) = (arguments[0], arguments[1..]);
        }

        var function = instance.FindFunction(name ?? "_start")
            ?? throw new ArgumentException($"the module exports no function '{name ?? "_start"}'");
        var results = function.Call(name is null ? [] : Parse(name, function.Type, arguments));
        return new(0, "", [.. results.Select((value, i) => Text(value, function.Type.Results[i]))]);
    }

    static string TimeIsUp(ProgramOptions program) => string.Create(
        CultureInfo.InvariantCulture, $"stopped: its {program.Timeout!.Value.TotalSeconds:0.###} s are over");

    static ProgramEnd Aborted(string message, ImmutableArray<GuestFrame> backtrace) =>
        new(TrappedExitCode, message, []) { Backtrace = [.. backtrace.Select(frame => frame.ToString())] };

    static Value[] Parse(string name, FunctionType type, ImmutableArray<string> texts)
    {
        var count = type.Parameters.Length;
        if (texts.Length != count)
            throw new ArgumentException($"'{name}' takes {count} arguments, not {texts.Length}");
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
                _ => throw new ArgumentException($"an argument of type {type} cannot be written here"),
            };
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new ArgumentException($"'{text}' is no {type}", e);
        }
    }

    static string Text(Value value, ValueType type) => type.Kind switch
    {
        ValueKind.I32 => value.AsI32.ToString(CultureInfo.InvariantCulture),
        ValueKind.I64 => value.AsI64.ToString(CultureInfo.InvariantCulture),
        ValueKind.F32 => value.AsF32.ToString(CultureInfo.InvariantCulture),
        ValueKind.F64 => value.AsF64.ToString(CultureInfo.InvariantCulture),
        ValueKind.V128 => $"0x{value.AsV128.AsUInt64().GetElement(1):x16}{value.AsV128.AsUInt64().GetElement(0):x16}",
        _ => value.AsReference is null ? "null" : type.ToString(),
    };
}
