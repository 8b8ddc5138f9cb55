using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>Evaluates the constant expressions of globals, segments and tables (core 3.3.10).</summary>
static class ConstantExpression
{
    public static Value Evaluate(Instance instance, CodeRange code)
    {
        var reader = new InstructionReader(instance.Module.Definition.Bytes.Span, code);
        var stack = new Stack<Value>(1);
        while (reader.Read())
        {
            switch (reader.Opcode)
            {
                case Opcode.I32Const: stack.Push(Value.From(reader.I32)); break;
                case Opcode.I64Const or Opcode.F32Const or Opcode.F64Const: stack.Push(Value.From(reader.I64)); break;
                case Opcode.GlobalGet: stack.Push(instance.Globals[reader.Index].Value); break;
                case Opcode.RefNull: stack.Push(Value.FromReference(null)); break;
                case Opcode.RefFunc: stack.Push(Value.FromReference(instance.FunctionAt(reader.Index))); break;
                case Opcode.End: break;
                default: throw new UnsupportedFeatureException($"{reader.Row.Name} in a constant expression");
            }
        }
        return stack.Pop();
    }
}
