using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>A block being compiled.</summary>
sealed class Frame(Opcode opcode, FunctionType type, int height)
{
    /// <summary><c>block</c>, <c>loop</c>, <c>if</c>, <c>try_table</c>, or <c>end</c> for the function itself.</summary>
    public Opcode Opcode { get; } = opcode;

    public FunctionType Type { get; } = type;

    /// <summary>Operands below its parameters.</summary>
    public int Height { get; } = height;

    /// <summary>Where a branch to it goes: a loop's head, else its end.</summary>
    public IlLabel Label { get; } = new();

    /// <summary>An <c>if</c> without <c>else</c> yet: where it goes when the condition is false.</summary>
    public IlLabel? Else { get; set; }

    /// <summary>An <c>if</c>: its parameters, for the <c>else</c>.</summary>
    public Expression[] Parameters { get; set; } = [];

    /// <summary>CIL locals that carry the operands of a branch; null until there is one.</summary>
    public int[]? Carriers { get; set; }

    /// <summary>Whether anything reaches its end by a branch.</summary>
    public bool IsBranchedTo { get; set; }

    /// <summary>Protected blocks around its label; a jump from within more of them must leave.</summary>
    public int RegionDepth { get; init; }

    /// <summary>A <c>try_table</c> with clauses: its protected block.</summary>
    public TryRegion? Try { get; set; }

    public bool IsLoop => Opcode == Opcode.Loop;

    public bool IsFunction => Opcode == Opcode.End;

    /// <summary>Types of a branch's operands.</summary>
    public System.Collections.Immutable.ImmutableArray<ValueType> LabelTypes => IsLoop ? Type.Parameters : Type.Results;
}
