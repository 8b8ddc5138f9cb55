using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>Instructions that call into the runtime: memory as a whole, tables, segments, references.</summary>
sealed class BulkInstructions(FunctionBody body, OperandStack stack)
{
    static readonly MethodInfo MemoryGrow = OnMemory(nameof(GuestMemory.Grow));
    static readonly MethodInfo MemoryFill = OnMemory(nameof(GuestMemory.Fill));
    static readonly MethodInfo MemoryCopy = OnMemory(nameof(GuestMemory.Copy));
    static readonly MethodInfo MemoryInit = OnMemory(nameof(GuestMemory.Init));
    static readonly MethodInfo DropData = OnMemory(nameof(GuestMemory.DropData));
    static readonly MethodInfo TableGet = OnTables(nameof(GuestTables.Get));
    static readonly MethodInfo TableSet = OnTables(nameof(GuestTables.Set));
    static readonly MethodInfo TableSize = OnTables(nameof(GuestTables.Size));
    static readonly MethodInfo TableGrow = OnTables(nameof(GuestTables.Grow));
    static readonly MethodInfo TableFill = OnTables(nameof(GuestTables.Fill));
    static readonly MethodInfo TableCopy = OnTables(nameof(GuestTables.Copy));
    static readonly MethodInfo TableInit = OnTables(nameof(GuestTables.Init));
    static readonly MethodInfo DropElements = OnTables(nameof(GuestTables.DropElements));
    static readonly MethodInfo FunctionReference = OnTables(nameof(GuestTables.FunctionReference));

    public void Translate(ref InstructionReader reader)
    {
        var (first, second) = (reader.Index, reader.SecondIndex);
        switch (reader.Opcode)
        {
            case Opcode.MemorySize:
                body.ReloadSharedMemories();
                stack.Push(Expression.MemorySize(AddressOfMemory(first), first));
                break;
            case Opcode.MemoryGrow: GrowMemory(first); break;
            case Opcode.MemoryFill: Run(MemoryFill, 3, Reads.Memory, first); break;
            case Opcode.MemoryCopy: Run(MemoryCopy, 3, Reads.Memory, first, second); break;
            case Opcode.MemoryInit: Run(MemoryInit, 3, Reads.Memory, second, first); break;
            case Opcode.DataDrop: Run(DropData, 0, Reads.Nothing, first); break;
            case Opcode.TableGet: Get(TableGet, body.Module.Definition.Tables[first].ElementType, 1, first); break;
            case Opcode.TableSet: Run(TableSet, 2, Reads.Nothing, first); break;
            case Opcode.TableSize: Get(TableSize, AddressOfTable(first), 0, first); break;
            case Opcode.TableGrow: Get(TableGrow, AddressOfTable(first), 2, first); break;
            case Opcode.TableFill: Run(TableFill, 3, Reads.Nothing, first); break;
            case Opcode.TableCopy: Run(TableCopy, 3, Reads.Nothing, first, second); break;
            case Opcode.TableInit: Run(TableInit, 3, Reads.Nothing, second, first); break;
            case Opcode.ElemDrop: Run(DropElements, 0, Reads.Nothing, first); break;
            case Opcode.RefFunc: Get(FunctionReference, TypeOfFunction(first), 0, first); break;
            default: throw new UnsupportedFeatureException($"the module uses {reader.Row.Name}, not supported yet");
        }
    }

    void GrowMemory(int memory)
    {
        stack.SettleReadersOf(Reads.MemorySize);
        Write(MemoryGrow, 1, [memory]);
        body.ReloadMemories(); // with the result on the CIL stack
        PushResult(MemoryGrow, AddressOfMemory(memory));
    }

    void Run(MethodInfo method, int operands, Reads changes, params ReadOnlySpan<int> immediates)
    {
        stack.SettleReadersOf(changes, except: operands);
        Write(method, operands, immediates);
    }

    ValueType TypeOfFunction(int function) =>
        ValueType.Reference(body.Module.Definition.Functions[function].TypeIndex, isNullable: false);

    void Get(MethodInfo method, ValueType reference, int operands, int immediate)
    {
        Get(method, CilType.Object, operands, immediate);
        stack.Push(stack.Pop().Known(reference));
    }

    void Get(MethodInfo method, CilType result, int operands, int immediate)
    {
        Write(method, operands, [immediate]);
        PushResult(method, result);
    }

    void Write(MethodInfo method, int operands, ReadOnlySpan<int> immediates)
    {
        body.LoadContext();
        foreach (var immediate in immediates) body.Il.Constant(immediate);
        var parameters = method.GetParameters();
        for (var i = operands - 1; i >= 0; i--) WriteOperand(stack.Peek(i), parameters[^(i + 1)].ParameterType);
        for (var i = 0; i < operands; i++) stack.Pop();
        var pushes = method.ReturnType == typeof(void) ? 0 : 1;
        body.Il.Call(body.Module.Image.Method(method), 1 + immediates.Length + operands, pushes);
    }

    // The runtime takes addresses as 64 bits.
    void WriteOperand(Expression operand, Type parameter)
    {
        stack.Write(operand);
        if (operand.Type == CilType.I32 && parameter == typeof(long)) body.Il.Op(ILOpCode.Conv_u8);
    }

    CilType AddressOfMemory(int memory) => CilTypes.Of(body.Module.Definition.Memories[memory].Limits.AddressType);

    CilType AddressOfTable(int table) => CilTypes.Of(body.Module.Definition.Tables[table].Limits.AddressType);

    void PushResult(MethodInfo method, CilType type)
    {
        if (type == CilType.I32 && method.ReturnType == typeof(long)) body.Il.Op(ILOpCode.Conv_i4);
        if (type == CilType.I64 && method.ReturnType == typeof(int)) body.Il.Op(ILOpCode.Conv_i8);
        var temp = body.Pool.Take(type);
        body.Il.StoreLocal(temp);
        stack.Push(Expression.Temp(type, temp));
    }

    static MethodInfo OnMemory(string name) => GuestMembers.Method(typeof(GuestMemory), name);

    static MethodInfo OnTables(string name) => GuestMembers.Method(typeof(GuestTables), name);
}
