using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime;

/// <summary>Calls from the host into a store.</summary>
static unsafe class Invocation
{
    public static void Call(Function function, ReadOnlySpan<Value> arguments, Span<Value> results)
    {
        CheckArguments(function, arguments);
        var store = function.Store;
        if (store.RunsHere)
        {
            Run(function, arguments, results); // a host function calls back: the limits of the outer call hold
        }
        else if (StackBounds.TryLimit(store.Limits.StackBytesMax, out var limit))
        {
            Run(function, limit, arguments, results);
        }
        else
        {
            RunOnOwnThread(function, arguments, results);
        }
    }

    static void CheckArguments(Function function, ReadOnlySpan<Value> arguments)
    {
        var parameters = function.Type.Parameters;
        if (arguments.Length != parameters.Length)
            throw new ArgumentException($"{arguments.Length} arguments for a function of type {function.Type}");
        for (var i = 0; i < arguments.Length; i++)
        {
            if (parameters[i].Kind == ValueKind.Ref)
                References.Check(function.Store, parameters[i], arguments[i].AsReference);
        }
    }

    static void Run(Function function, nuint stackLimit, ReadOnlySpan<Value> arguments, Span<Value> results)
    {
        function.Store.Enter(stackLimit);
        try
        {
            Run(function, arguments, results);
        }
        finally
        {
            function.Store.Leave();
        }
    }

    static void Run(Function function, ReadOnlySpan<Value> arguments, Span<Value> results)
    {
        var enter = (delegate*<ref Value, ref Value, Function, void>)function.Signature.GuestEntry;
        try
        {
            enter(ref MemoryMarshal.GetReference(arguments), ref MemoryMarshal.GetReference(results), function);
        }
        catch (WasmException fault) when (Note(fault))
        {
            throw; // never: see Note
        }
        catch (InvalidProgramException unfit) when (Backtrace.StartsInGuest(unfit))
        {
            throw new UnsupportedFeatureException("a function is too large for the .NET JIT compiler", unfit);
        }
        catch (NullReferenceException fault) when (IsGuestFault(function, fault))
        {
            throw new TrapException(TrapCode.OutOfBoundsMemoryAccess, null, fault) { Trace = Backtrace.Of(fault) };
        }
        catch (OutOfMemoryException exhausted) when (Backtrace.StartsInObjects(exhausted))
        {
            throw new TrapException(TrapCode.OutOfMemory, null, exhausted) { Trace = Backtrace.Of(exhausted) };
        }
        // Guest code holds bare pointers into memories that the store frees when it is collected.
        GC.KeepAlive(function.Store);
    }

    /// <summary>Whether guest code reached behind a guarded memory: it has no other way to this exception.</summary>
    static bool IsGuestFault(Function function, NullReferenceException fault) =>
        function.Store.Engine.Arena is not null && Backtrace.StartsInGuest(fault);

    /// <summary>
    /// Keeps the guest frames of a fault as it passes, and catches nothing. To catch and rethrow would need stack at
    /// each level, and where the host calls a guest that calls the host there may be thousands.
    /// </summary>
    static bool Note(WasmException fault)
    {
        switch (fault)
        {
            case TrapException { Trace.IsFull: false } trap:
                trap.Trace = Backtrace.Of(trap, trap.Site);
                break;
            case GuestException { Trace.IsFull: false } uncaught:
                uncaught.Trace = Backtrace.Of(uncaught);
                break;
        }
        return false;
    }

    static void RunOnOwnThread(Function function, ReadOnlySpan<Value> arguments, Span<Value> results)
    {
        var (input, output) = (arguments.ToArray(), new Value[results.Length]);
        var stackBytes = function.Store.Limits.StackBytesMax + 2 * StackBounds.Reserve;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(RunHere, stackBytes) { IsBackground = true, Name = "guest" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        output.CopyTo(results);

        void RunHere()
        {
            try
            {
                StackBounds.Assume(stackBytes);
                Run(function, StackBounds.Here() - (nuint)function.Store.Limits.StackBytesMax, input, output);
            }
            catch (Exception e) // carried over to the caller's thread, whatever it is
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }
    }
}
