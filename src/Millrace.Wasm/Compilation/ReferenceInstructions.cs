using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>Instructions on references as such.</summary>
sealed class ReferenceInstructions(FunctionBody body, OperandStack stack)
{
    public bool TryTranslate(ref InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.RefAsNonNull: stack.Push(PopNonNull()); return true;
            default: return false;
        }
    }

    /// <summary>A reference that may be written out twice; traps when it is null.</summary>
    public Expression PopNonNull()
    {
        var reference = stack.PopKept();
        if (!reference.MayBeNull || body.Module.Lacks(SafetyCheck.NullReferences)) return reference;
        stack.WriteCopy(reference);
        body.Il.Jump(ILOpCode.Brfalse, body.Trap(TrapCode.NullReference));
        return reference.NonNull();
    }
}
