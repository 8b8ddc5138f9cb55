using Millrace.Wasm;

namespace Millrace.Sandbox;

/// <summary>One execution of a module in flow mode: a pure function of its request and its journal.</summary>
public sealed class SandboxRun
{
    SandboxRun() { }

    /// <summary>Prepares an execution; <see cref="Execute"/> runs it.</summary>
    public static SandboxRun Create(Engine engine, Module module, RunRequest request, IRunHost host, TimeProvider time) =>
        throw new NotImplementedException();

    /// <summary>Runs the guest on this thread until it ends. Never throws for what a guest does.</summary>
    public RunEnd Execute() => throw new NotImplementedException();

    /// <summary>Hands over the result of an operation. From any thread; a result for a cancelled operation is dropped.</summary>
    public void Complete(long sequence, OperationResult result) => throw new NotImplementedException();

    /// <summary>Ends the execution as <see cref="RunEndKind.Stopped"/>, also out of a wait or a loop. From any thread.</summary>
    public void Stop() => throw new NotImplementedException();
}
