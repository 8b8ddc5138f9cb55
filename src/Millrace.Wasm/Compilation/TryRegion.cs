using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>A <c>try_table</c> with clauses while it is compiled: the code from here on is its protected block.</summary>
sealed class TryRegion(IlLabel start, CatchClause[] clauses)
{
    public IlLabel Start { get; } = start;

    public CatchClause[] Clauses { get; } = clauses;
}
