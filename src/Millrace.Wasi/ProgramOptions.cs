using System.Collections.Immutable;
using Millrace.Wasm;

namespace Millrace.Wasi;

/// <summary>What of a program is called, and how much it may take.</summary>
public sealed record ProgramOptions
{
    /// <summary>The exported function to call with <see cref="Arguments"/>; null: <c>_start</c>.</summary>
    public string? Invoke { get; init; }

    /// <summary>Arguments of the function, as numbers.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>Whether the module is a reactor: <c>_initialize</c> runs, then the function that the first of
    /// <see cref="Arguments"/> names, if any, with the others.</summary>
    public bool IsReactor { get; init; }

    /// <summary>Instructions that it may execute; null: any number, and they are not counted.</summary>
    public long? Fuel { get; init; }

    /// <summary>Time that it may run, compiling apart; null: any.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Where its machine code may lie, compiled ahead of time; null: the JIT compiles it.</summary>
    public CodeCache? Cache { get; init; }

    /// <summary>Bytes of stack that its calls may use; null: 4 MiB.</summary>
    public int? StackBytesMax { get; init; }

    /// <summary>Whether pages guard its memory instead of compares: <see cref="MemoryChecks.Guarded"/>.</summary>
    public bool HasGuardPages { get; init; }

    /// <summary>Bytes of its memories together, and as many of its objects; null: the store's own limits.</summary>
    public long? MemoryBytesMax { get; init; }

    /// <summary>
    /// Defines what it may import beside WASI; what it answers is disposed of after the program. The token says that the
    /// program is to end. Null: nothing.
    /// </summary>
    public Func<Linker, CancellationToken, IDisposable>? Imports { get; init; }
}
