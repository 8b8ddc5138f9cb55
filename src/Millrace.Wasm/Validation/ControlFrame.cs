using System.Collections.Immutable;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>An open block.</summary>
/// <param name="Opcode">What opened it; <c>block</c> for the body itself.</param>
/// <param name="Type">Its parameters and results.</param>
/// <param name="Height">Operands below it.</param>
/// <param name="SetLocalsHeight">Locals set before it; those set inside count as unset behind it.</param>
/// <param name="IsUnreachable">Whether the rest of it cannot be reached, and any operand may be assumed.</param>
record struct ControlFrame(Opcode Opcode, FunctionType Type, int Height, int SetLocalsHeight, bool IsUnreachable)
{
    /// <summary>What a branch to it must bring.</summary>
    public readonly ImmutableArray<ValueType> LabelTypes =>
        Opcode == Opcode.Loop ? Type.Parameters : Type.Results;
}
