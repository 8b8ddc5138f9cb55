using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Nn;
using Millrace.Sandbox.Computing;
using Millrace.Sandbox.Determinism;
using Millrace.Sandbox.Door;
using Millrace.Sandbox.Limits;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Sandbox;

/// <summary>
/// One execution of a module in flow mode: a pure function of its request and its journal. While recorded deliveries
/// are left, the journal answers and the host hears of nothing but output; operations without a journaled result are
/// sent when the last one is gone through, in order, less those that were cancelled meanwhile.
/// </summary>
public sealed class SandboxRun
{
    // As a C library's abort says it to a shell: 128 + SIGABRT.
    const int AbortExitCode = 134;

    readonly Engine _engine;
    readonly Module _module;
    readonly RunRequest _request;
    readonly IRunHost _host;
    readonly RunControl _control;
    readonly FlowClock _clock;
    readonly RunDoor _door;

    SandboxRun(Engine engine, Module module, RunRequest request, IRunHost host, TimeProvider time)
    {
        (_engine, _module, _request, _host) = (engine, module, request, host);
        _control = new(request.Limits, time);
        _clock = new(request.StartedAtNs);
        _door = new(request.Journal, host, _clock, _control, time);
    }

    /// <summary>Prepares an execution; <see cref="Execute"/> runs it.</summary>
    public static SandboxRun Create(Engine engine, Module module, RunRequest request, IRunHost host, TimeProvider time)
    {
        if (request.Seed.Length != 32) throw new ArgumentException("the seed has 32 bytes", nameof(request));
        return new(engine, module, request, host, time);
    }

    /// <summary>Runs the guest on this thread until it ends; once only. Never throws for what a guest does.</summary>
    public RunEnd Execute()
    {
        var bytesMax = _request.Limits.MemoryBytesMax; // each of the two: a guest has linear memory or objects
        using var store = new Store(_engine, new() { MemoryBytesMax = bytesMax, ObjectBytesMax = bytesMax });
        using var random = new SeedStream(_request.Seed);
        using var log = new RunOutput(_host, OutputStream.Log, _request.Limits.OutputBytesMax);
        using var wasi = new WasiHost(Surroundings(random, log));
        var linker = new Linker(_engine);
        wasi.Define(linker);
        DoorCalls.Define(linker, _door);
        using var stop = new CancellationTokenSource();
        using var nn = DefineNn(linker, log, stop.Token);

        _control.Begin(store, stop);
        Watchdog.Shared.Watch(_control);
        try
        {
            var end = Call(store, linker);
            return end with { Cpu = _control.Cpu, MemoryBytesPeak = store.MemoryBytes };
        }
        finally
        {
            Watchdog.Shared.Forget(_control);
            _control.Finish();
        }
    }

    /// <summary>
    /// Hands over the result of an operation. From any thread; a result for a cancelled operation is dropped.
    /// </summary>
    public void Complete(long sequence, OperationResult result) => _door.Complete(sequence, result);

    /// <summary>
    /// Ends the execution as <see cref="RunEndKind.Stopped"/>, also out of a wait or a loop. From any thread.
    /// </summary>
    public void Stop() => _control.End(RunEndKind.Stopped, "stopped by the host");

    WasiOptions Surroundings(SeedStream random, RunOutput log) => new()
    {
        Arguments = _request.Arguments,
        Environment = _request.Environment,
        Stdin = Input(_request.Input),
        Stdout = new RunOutput(_host, OutputStream.Result, _request.Limits.OutputBytesMax),
        Stderr = log,
        Files = new(_request.Assets, _request.Limits.FileBytesMax, () => _clock.NextNs),
        System = new FlowSystem(_clock, random, _door),
    };

    NnHost? DefineNn(Linker linker, RunOutput log, CancellationToken stop)
    {
        if (!_module.Imports.Any(static import => NnHost.IsDefined(import.Module))) return null;
        var host = new NnHost(new() { Limits = DoorModels.Limits, Log = log.WriteLine, Stop = stop }, new DoorModels(_door));
        host.Define(linker);
        return host;
    }

    static MemoryStream Input(ReadOnlyMemory<byte> input) => MemoryMarshal.TryGetArray(input, out var array)
        ? new(array.Array!, array.Offset, array.Count, writable: false)
        : new(input.ToArray(), writable: false);

    RunEnd Call(Store store, Linker linker)
    {
        try
        {
            _control.ThrowIfEnded();
            _door.Open();
            var instance = linker.Instantiate(store, _module);
            if (instance.FindFunction("_start") is not { Type: { Parameters: [], Results: [] } } start)
                return new(RunEndKind.Trapped, 0, "the module exports no program: there is no function _start");
            start.Call();
            return Exited(store, 0);
        }
        catch (ProcExitException exit)
        {
            return Exited(store, exit.Code);
        }
        catch (LinkException link)
        {
            if (store.MemoryLimitHit) return OutOfMemory();
            return new(RunEndKind.Trapped, 0, link.Message) { Trap = TrapCode.UnknownImport };
        }
        catch (TrapException trap)
        {
            return Trapped(store, trap);
        }
        catch (GuestException uncaught)
        {
            return new(RunEndKind.Trapped, 0, uncaught.Message) { Backtrace = Frames(uncaught.Backtrace) };
        }
        catch (RunEndedException)
        {
            return Ended();
        }
    }

    RunEnd Exited(Store store, int code)
    {
        _door.CheckEnded();
        if (_control.Ended is { Kind: RunEndKind.Diverged }) return Ended();
        if (code == AbortExitCode && store.MemoryLimitHit) return OutOfMemory();
        return new(RunEndKind.Exited, code, code == 0 ? "" : $"the guest ended with exit code {code}");
    }

    RunEnd Trapped(Store store, TrapException trap)
    {
        var end = trap.Code switch
        {
            TrapCode.Interrupted when _control.Ended is not null => Ended(),
            TrapCode.OutOfFuel => new(RunEndKind.OutOfFuel, 0, "the instruction budget is used up"),
            TrapCode.OutOfMemory => OutOfMemory(),
            _ when store.MemoryLimitHit => OutOfMemory(),
            _ => new(RunEndKind.Trapped, 0, trap.Message) { Trap = trap.Code },
        };
        return end with { Backtrace = Frames(trap.Backtrace) };
    }

    static ImmutableArray<string> Frames(ImmutableArray<GuestFrame> frames) =>
        [.. frames.Select(frame => frame.ToString())];

    RunEnd OutOfMemory() => new(
        RunEndKind.OutOfMemory, 0,
        $"the guest needed more than its {_request.Limits.MemoryBytesMax >> 20} MiB of memory");

    RunEnd Ended() => new(_control.Ended!.Kind, 0, _control.Ended.Message);
}
