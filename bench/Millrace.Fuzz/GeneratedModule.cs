using System.Collections.Immutable;

namespace Millrace.Fuzz;

/// <summary>A call of an export.</summary>
/// <param name="Name">The export.</param>
/// <param name="Arguments">As <c>i32:5</c>, <c>f64:0x7ff0000000000000</c>; floats by their bits.</param>
/// <param name="Results">Types of the results, as <c>i32</c>.</param>
sealed record GeneratedCall(string Name, ImmutableArray<string> Arguments, ImmutableArray<string> Results);

/// <summary>A module, what to call of it, and what its counters count.</summary>
/// <param name="Wat">Its text.</param>
/// <param name="Calls">In this order.</param>
/// <param name="Counted">What runs when the exported global <c>cN</c> is counted up: instructions by name.</param>
sealed record GeneratedModule(
    string Wat, ImmutableArray<GeneratedCall> Calls, ImmutableArray<ImmutableDictionary<string, int>> Counted);
