using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>Checks function bodies and constant expressions: dispatches each instruction to the rules of its
/// family. One instance serves a whole module.</summary>
sealed class CodeValidator(ModuleContext context)
{
    readonly FunctionState _state = new(context);

    /// <summary>Checks a body and returns what was seen.</summary>
    public FunctionFacts CheckBody(FunctionDefinition function)
    {
        context.Current = _state;
        _state.BeginFunction(function);
        Walk(function.Body);
        context.Current = null;
        return _state.Facts;
    }

    /// <summary>Checks a constant expression that gives a value of <paramref name="type"/>, in which the first
    /// <paramref name="visibleGlobals"/> globals may be read.</summary>
    public void CheckConstant(CodeRange code, ValueType type, int visibleGlobals, string where)
    {
        context.Current = _state;
        _state.BeginConstant(type, visibleGlobals, where);
        Walk(code);
        context.Current = null;
    }

    void Walk(CodeRange code)
    {
        var reader = new InstructionReader(context.Module.Bytes.Span, code);
        while (reader.Read())
        {
            _state.At(reader.Row, reader.Offset);
            _state.Facts.InstructionCount++;
            if (reader.Opcode is Opcode.I32Rotl or Opcode.I32Rotr or Opcode.I64Rotl or Opcode.I64Rotr)
                _state.Facts.HasRotations = true;
            if (_state.IsConstant && !ConstantRules.Allows(reader.Opcode, _state, reader.Index))
                throw _state.Invalid("constant expression required");
            Step(reader);
        }
    }

    void Step(in InstructionReader instruction)
    {
        var row = instruction.Row;
        if (row.HasSignature)
        {
            Simple(instruction);
            return;
        }
        switch ((int)row.Opcode >> 12)
        {
            case 0xFB: AggregateRules.Check(_state, instruction); break;
            case 0xFC: MemoryRules.CheckBulk(_state, instruction); break;
            case var _ when row.Opcode is < Opcode.Drop or Opcode.TryTable:
                ControlRules.Check(_state, instruction);
                break;
            default: VariableRules.Check(_state, instruction); break;
        }
    }

    void Simple(in InstructionReader instruction)
    {
        var row = instruction.Row;
        if (row.IsMemoryAccess)
        {
            MemoryRules.CheckAccess(_state, instruction);
            return;
        }
        if (row.Immediate is ImmediateKind.Lane or ImmediateKind.Shuffle) MemoryRules.CheckLanes(_state, instruction);
        _state.Pop(row.Parameters);
        _state.Push(row.Results);
    }
}
