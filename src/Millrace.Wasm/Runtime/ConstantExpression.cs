using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>Evaluates the constant expressions of globals, segments and tables (core 3.3.10).</summary>
static class ConstantExpression
{
    public static Value Evaluate(Instance instance, CodeRange code)
    {
        var reader = new InstructionReader(instance.Module.Definition.Bytes.Span, code);
        var value = default(Value); // one instruction and `end`, without the extended-const proposal
        while (reader.Read())
        {
            switch (reader.Opcode)
            {
                case Opcode.I32Const: value = Value.From(reader.I32); break;
                case Opcode.I64Const or Opcode.F32Const or Opcode.F64Const: value = Value.From(reader.I64); break;
                case Opcode.GlobalGet: value = instance.Globals[reader.Index].Value; break;
                case Opcode.RefNull: value = Value.FromReference(null); break;
                case Opcode.RefFunc: value = Value.FromReference(instance.FunctionAt(reader.Index)); break;
                case Opcode.End: break;
                default: throw new UnsupportedFeatureException($"{reader.Row.Name} in a constant expression");
            }
        }
        return value;
    }
}
