using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Runtime;

/// <summary>Evaluates the constant expressions of globals, segments and tables (core 3.4.13).</summary>
ref struct ConstantExpression
{
    readonly Instance _instance;
    Stack<Value>? _below;
    Value _top;
    bool _hasTop;

    ConstantExpression(Instance instance) => _instance = instance;

    /// <summary>The value of a valid constant expression.</summary>
    public static Value Evaluate(Instance instance, CodeRange code)
    {
        var bytes = instance.Module.Definition.Bytes.Span;
        var position = code.Start;
        if (PlainConstant.TryRead(bytes, ref position, code.End, out var constant)) return Value.From(constant);
        var expression = new ConstantExpression(instance);
        var reader = new InstructionReader(bytes, code);
        while (reader.Read()) expression.Step(reader);
        return expression._top;
    }

    /// <summary>The value of an expression of constants alone, which is the same in every instance.</summary>
    public static bool TryEvaluate(ModuleDefinition definition, CodeRange code, out Value value)
    {
        var position = code.Start;
        var isPlain = PlainConstant.TryRead(definition.Bytes.Span, ref position, code.End, out var constant);
        value = Value.From(constant);
        if (isPlain) return true;
        var expression = new ConstantExpression(null!);
        var reader = new InstructionReader(definition.Bytes.Span, code);
        while (reader.Read())
        {
            if (!IsConstant(reader.Opcode)) return false;
            expression.Step(reader);
        }
        value = expression._top;
        return true;
    }

    static bool IsConstant(Opcode opcode) => opcode is Opcode.I32Const or Opcode.I64Const or Opcode.End
        or Opcode.I32Add or Opcode.I32Sub or Opcode.I32Mul or Opcode.I64Add or Opcode.I64Sub or Opcode.I64Mul;

    void Step(in InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.I32Const: Push(Value.From(reader.I32)); break;
            case Opcode.I64Const or Opcode.F32Const or Opcode.F64Const: Push(Value.From(reader.I64)); break;
            case Opcode.V128Const: Push(Value.From(reader.Vector)); break;
            case Opcode.GlobalGet: Push(_instance.Globals[reader.Index].Value); break;
            case Opcode.RefNull: Push(Value.FromReference(null)); break;
            case Opcode.RefFunc: Push(Value.FromReference(_instance.FunctionAt(reader.Index))); break;
            case Opcode.End: break;
            default: StepOnward(reader); break;
        }
    }

    void StepOnward(in InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.RefI31: Push(Value.FromReference(GuestI31.New(_instance, Pop().AsI32))); break;
            // The same object on either side.
            case Opcode.AnyConvertExtern or Opcode.ExternConvertAny: break;
            case Opcode.StructNew or Opcode.StructNewDefault: MakeStruct(reader); break;
            case Opcode.ArrayNew or Opcode.ArrayNewDefault or Opcode.ArrayNewFixed: MakeArray(reader); break;
            default: Calculate(reader); break;
        }
    }

    void MakeStruct(in InstructionReader reader)
    {
        var factory = _instance.Module.Code.FactoryOf(reader.Index);
        var values = reader.Opcode == Opcode.StructNew ? Pop(factory.FieldCount) : [];
        Push(Value.FromReference(factory.Make(_instance, values)));
    }

    void MakeArray(in InstructionReader reader)
    {
        var element = _instance.Module.Definition.Types[reader.Index].Fields[0];
        var type = _instance.ObjectTypes[_instance.Module.Code.Types.SlotOf(reader.Index)];
        var length = reader.Opcode == Opcode.ArrayNewFixed ? reader.SecondIndex : Pop().AsI32;
        Push(Value.FromReference(reader.Opcode switch
        {
            Opcode.ArrayNew => ConstantArrays.Filled(type, element, Pop(), length),
            Opcode.ArrayNewFixed => ConstantArrays.Of(type, element, Pop(length)),
            _ => ConstantArrays.Filled(type, element, default, length),
        }));
    }

    Value[] Pop(int count)
    {
        var values = new Value[count];
        for (var i = count - 1; i >= 0; i--) values[i] = Pop();
        return values;
    }

    void Calculate(in InstructionReader reader)
    {
        var (right, left) = (Pop(), Pop());
        Push(reader.Opcode switch
        {
            Opcode.I32Add => Value.From(left.AsI32 + right.AsI32),
            Opcode.I32Sub => Value.From(left.AsI32 - right.AsI32),
            Opcode.I32Mul => Value.From(left.AsI32 * right.AsI32),
            Opcode.I64Add => Value.From(left.AsI64 + right.AsI64),
            Opcode.I64Sub => Value.From(left.AsI64 - right.AsI64),
            Opcode.I64Mul => Value.From(left.AsI64 * right.AsI64),
            _ => throw new UnsupportedFeatureException($"{reader.Row.Name} in a constant expression"),
        });
    }

    // Nearly all expressions are one instruction, and segments have millions of them: only a second operand allocates.
    void Push(Value value)
    {
        if (_hasTop) (_below ??= new()).Push(_top);
        (_top, _hasTop) = (value, true);
    }

    Value Pop()
    {
        var top = _top;
        if (_below is null || !_below.TryPop(out _top)) _hasTop = false;
        return top;
    }
}
