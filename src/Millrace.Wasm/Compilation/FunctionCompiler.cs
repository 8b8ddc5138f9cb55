using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Compiles one function after another: a single pass over the instructions, each handed to the part that knows its
/// family. Code that cannot be reached is skipped.
/// </summary>
sealed class FunctionCompiler
{
    readonly ModuleScope _module;
    readonly FunctionBody _body;
    readonly OperandStack _stack;
    readonly MemoryAccess _memory;
    readonly FuelMeter _fuel;
    readonly ControlFlow _control;
    readonly Calls _calls;
    readonly ReferenceInstructions _references;
    readonly Exceptions _exceptions;
    readonly StructInstructions _structs;
    readonly ArrayInstructions _arrays;
    readonly CastInstructions _casts;
    readonly BulkInstructions _bulk;
    readonly AtomicInstructions _atomics;
    readonly Vectors _vectors;
    readonly PartialUse _partialUse;

    public FunctionCompiler(ModuleScope module)
    {
        _module = module;
        _body = new FunctionBody(module);
        _stack = new OperandStack(_body);
        _memory = new MemoryAccess(_body, _stack);
        _exceptions = new Exceptions(_body, _stack);
        _fuel = new FuelMeter(_body);
        _control = new ControlFlow(_body, _stack, _memory, _exceptions, _fuel);
        _calls = new Calls(_body, _stack);
        _references = new ReferenceInstructions(_body, _stack);
        _structs = new StructInstructions(_body, _stack, _references);
        _arrays = new ArrayInstructions(_body, _stack, _references);
        _casts = new CastInstructions(_body, _stack, _control);
        _bulk = new BulkInstructions(_body, _stack);
        _atomics = new AtomicInstructions(_body, _stack, _memory);
        _vectors = new Vectors(_stack);
        _partialUse = new PartialUse(module.Definition);
    }

    /// <summary>Adds the function to the image, and what its code stands for to the map.</summary>
    public void Compile(FunctionDefinition function, CodeMap? map = null)
    {
        _body.Begin(function);
        _stack.Reset();
        _memory.ForgetChecks();
        _control.Begin(function.Type);
        _fuel.Begin();
        var reader = new InstructionReader(_module.Definition.Bytes.Span, function.Body);
        while (reader.Read())
        {
            if (!_control.IsReachable && !_control.LeavesDeadCode(reader.Opcode)) continue;
            _body.Site = reader.Offset;
            map?.Add(_body.Il.Length, reader, _module.ImportCount);
            _fuel.Count(reader.Opcode);
            if (function.Facts!.HasRotations) _stack.Hide(Rotations.Compared(_module.Definition, ref reader));
            Translate(ref reader);
        }
        _fuel.EndRegion();
        map?.End(_body.Il.Length);
        _body.End();
    }

    void Translate(ref InstructionReader reader)
    {
        if (AtomicInstructions.Has(reader.Opcode)) _atomics.Translate(ref reader);
        else if (reader.Row.IsMemoryAccess) TranslateAccess(ref reader);
        else if (Vectors.Has(reader.Opcode)) _vectors.Push(ref reader);
        else if (FaultyOperations.Find(reader.Opcode, _module.Options) is { } operation)
            Numbers.Push(_body, _stack, reader.Opcode, operation);
        else if (!TranslateVariable(ref reader) && !TranslateControl(ref reader) && !TranslateReference(ref reader))
            _bulk.Translate(ref reader);
    }

    bool TranslateReference(ref InstructionReader reader) =>
        _references.TryTranslate(ref reader) || _structs.TryTranslate(ref reader) || _arrays.TryTranslate(ref reader)
        || _casts.TryTranslate(ref reader);

    void TranslateAccess(ref InstructionReader reader)
    {
        if (reader.Row.Results.IsEmpty)
        {
            _memory.Store(reader.Row, reader.Index, reader.MemoryOffset, reader.Lane);
            return;
        }
        var isPartial = _body.Memory(reader.Index).IsGuarded && _partialUse.Follows(reader, _body.Function, _stack);
        _memory.Load(reader.Row, reader.Index, reader.MemoryOffset, reader.Lane, isPartial);
    }

    bool TranslateVariable(ref InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.I32Const: _stack.Push(Expression.Constant(CilType.I32, reader.Bits)); return true;
            case Opcode.I64Const: _stack.Push(Expression.Constant(CilType.I64, reader.Bits)); return true;
            case Opcode.F32Const: _stack.Push(Expression.Constant(CilType.F32, reader.Bits)); return true;
            case Opcode.F64Const: _stack.Push(Expression.Constant(CilType.F64, reader.Bits)); return true;
            case Opcode.RefNull: _stack.Push(Expression.Constant(CilType.Object, 0)); return true;
            case Opcode.RefIsNull: _stack.Push(Expression.Of(Operations.IsNull, _stack.Pop())); return true;
            case Opcode.LocalGet:
                _stack.Push(Expression.Local(_body.LocalType(reader.Index), reader.Index));
                return true;
            case Opcode.LocalSet: AssignLocal(reader.Index); return true;
            case Opcode.LocalTee:
                AssignLocal(reader.Index);
                _stack.Push(Expression.Local(_body.LocalType(reader.Index), reader.Index));
                return true;
            case Opcode.GlobalGet:
                _stack.Push(Expression.Global(_module.Definition.Globals[reader.Index].Type, reader.Index));
                return true;
            case Opcode.GlobalSet: AssignGlobal(reader.Index); return true;
            case Opcode.Drop: _stack.Release(_stack.Pop()); return true;
            default: return false;
        }
    }

    bool TranslateControl(ref InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.Nop: return true;
            case Opcode.Unreachable: _control.Trap(TrapCode.Unreachable); return true;
            case Opcode.Block: _control.Block(_module.Definition.TypeOf(reader.Block)); return true;
            case Opcode.Loop: _control.Loop(_module.Definition.TypeOf(reader.Block)); return true;
            case Opcode.If: _control.If(_module.Definition.TypeOf(reader.Block)); return true;
            case Opcode.TryTable:
                _control.TryTable(_module.Definition.TypeOf(reader.Block), reader.Catches);
                return true;
            case Opcode.Throw:
                _exceptions.Throw(reader.Index);
                _control.EndPath();
                return true;
            case Opcode.ThrowRef:
                _exceptions.ThrowReference();
                _control.EndPath();
                return true;
            case Opcode.Else: _control.Else(); return true;
            case Opcode.End: _control.End(); return true;
            case Opcode.Br: _control.Branch(reader.Index); return true;
            case Opcode.BrIf: _control.BranchIf(reader.Index); return true;
            case Opcode.BrTable: _control.BranchTable(reader.Labels); return true;
            case Opcode.Return: _control.Return(); return true;
            case Opcode.Select: _control.Select(); return true;
            case Opcode.SelectTyped: _control.Select(reader.SelectTypes[0]); return true;
            case Opcode.BrOnNull: _control.BranchOnNull(reader.Index); return true;
            case Opcode.BrOnNonNull: _control.BranchOnNonNull(reader.Index); return true;
            case Opcode.Call: _calls.Call(reader.Index); return true;
            case Opcode.CallIndirect: _calls.CallIndirect(reader.Index, reader.SecondIndex); return true;
            case Opcode.ReturnCall:
                _calls.Call(reader.Index, isTail: true);
                _control.EndPath();
                return true;
            case Opcode.ReturnCallIndirect:
                _calls.CallIndirect(reader.Index, reader.SecondIndex, isTail: true);
                _control.EndPath();
                return true;
            case Opcode.CallRef: _calls.CallReference(reader.Index); return true;
            case Opcode.ReturnCallRef:
                _calls.CallReference(reader.Index, isTail: true);
                _control.EndPath();
                return true;
            default: return false;
        }
    }

    void AssignLocal(int local)
    {
        var value = _stack.Pop();
        if (value.Kind == ExpressionKind.Local && value.Index == local) return;
        if (!_module.Has(CompilerFault.ReadsLocalsTooLate)) _stack.SettleReadersOf(local);
        _stack.Write(value);
        _body.StoreWasmLocal(local);
        _memory.ForgetChecks(local);
    }

    void AssignGlobal(int global)
    {
        var value = _stack.Pop();
        if (!_module.Has(CompilerFault.ReadsGlobalsTooLate)) _stack.SettleReadersOf(Reads.Globals);
        _stack.WriteGlobalAddress(global);
        _stack.Write(value);
        if (value.Type == CilType.Object) _body.Il.StoreField(_module.Image.Field(GuestMembers.Reference));
        else value.Type.StoreIndirect(_body.Il, _module.Image);
    }
}
