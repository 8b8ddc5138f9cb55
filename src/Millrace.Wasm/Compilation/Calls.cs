using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Calls: directly within the module, through <see cref="Function"/>s otherwise. Arguments come first, then the
/// context, then the addresses of the second and later results. A tail call passes the caller's own addresses on, so
/// that nothing of its frame is needed any more.
/// </summary>
sealed class Calls(FunctionBody body, OperandStack stack)
{
    IlWriter Il => body.Il;

    public void Call(int index, bool isTail = false)
    {
        var function = body.Module.Definition.Functions[index];
        if (function.Import is not null)
        {
            CallImport(index, function.Type, isTail);
            return;
        }
        stack.SettleReadersOf(Reads.All, except: function.Type.Parameters.Length);
        if (isTail && body.RegionDepth != 0) LeaveFor(function.Type, () => WriteCall(function, isTail));
        else WriteCall(function, isTail);
    }

    public void CallIndirect(int typeIndex, int table, bool isTail = false)
    {
        var type = body.Module.Definition.Types[typeIndex].Function!;
        var index = stack.Pop();
        stack.SettleReadersOf(Reads.All, except: type.Parameters.Length);
        if (index.Kind != ExpressionKind.Local) index = stack.Settled(index);
        var callee = body.Pool.Take(CilType.Object);
        LoadElement(table, index, callee);
        CheckNotNull(table, index, callee);
        CheckSignature(table, typeIndex, callee);
        stack.Release(index);
        CallThrough(callee, type, isTail);
    }

    void WriteCall(FunctionDefinition function, bool isTail)
    {
        WriteArguments(function.Type);
        body.LoadContext();
        var more = WriteResultAddresses(function.Type, isTail);
        if (isTail) Il.Tail();
        Il.Call(body.Module.FunctionToken(function.Index), Operands(function.Type), Returned(function.Type));
        Finish(function.Type, more, isTail);
    }

    // CIL knows no tail call within a protected block: the arguments travel in temporaries to a place outside.
    void LeaveFor(FunctionType type, Action call)
    {
        var arguments = new Expression[type.Parameters.Length];
        stack.SettleTop(arguments.Length);
        for (var i = arguments.Length - 1; i >= 0; i--) arguments[i] = stack.Pop();
        body.LeaveFor(() =>
        {
            foreach (var argument in arguments) stack.Push(argument);
            call();
        });
    }

    public void CallReference(int typeIndex, bool isTail = false)
    {
        var type = body.Module.Definition.Types[typeIndex].Function!;
        var reference = stack.Pop();
        stack.SettleReadersOf(Reads.All, except: type.Parameters.Length);
        var mayBeNull = reference.MayBeNull;
        stack.Write(reference);
        var callee = body.Pool.Take(CilType.Object);
        Il.StoreLocal(callee);
        if (mayBeNull && !body.Module.Lacks(SafetyCheck.NullReferences))
        {
            Il.LoadLocal(callee);
            Il.Jump(ILOpCode.Brfalse, body.Trap(TrapCode.NullReference));
        }
        CallThrough(callee, type, isTail);
    }

    // By number first. Only types that may have subtypes are worth the second look, and none where the table's type
    // says it all.
    void CheckSignature(int table, int typeIndex, int callee)
    {
        var (types, image) = (body.Module.Types, body.Module.Image);
        var wanted = ValueType.Reference(typeIndex, isNullable: true);
        if (types.Matches(body.Module.Definition.Tables[table].ElementType, wanted)) return;
        if (body.Module.Has(CompilerFault.CallsAnyType) || body.Module.Lacks(SafetyCheck.CallTypes)) return;
        var mismatch = body.Trap(TrapCode.IndirectCallTypeMismatch);
        Il.LoadLocal(callee);
        Il.LoadField(image.Field(GuestMembers.SignatureId));
        body.LoadNumber(typeIndex);
        if (!types.HasSubtypes(typeIndex))
        {
            Il.Jump(ILOpCode.Bne_un, mismatch);
            return;
        }
        var isEqual = new IlLabel();
        Il.Jump(ILOpCode.Beq, isEqual);
        Il.LoadLocal(callee);
        body.LoadNumber(typeIndex);
        Il.Constant(types.DepthOf(typeIndex));
        Il.Call(image.Method(GuestMembers.FunctionHasType), 3, 1);
        Il.Jump(ILOpCode.Brfalse, mismatch);
        Il.Mark(isEqual);
    }

    void CallImport(int index, FunctionType type, bool isTail)
    {
        stack.SettleReadersOf(Reads.All, except: type.Parameters.Length);
        var callee = body.Pool.Take(CilType.Object);
        body.LoadContext();
        Il.LoadField(body.Module.Image.Field(GuestMembers.Imports));
        Il.Constant(index);
        Il.Op(ILOpCode.Ldelem_ref);
        Il.StoreLocal(callee);
        CallThrough(callee, type, isTail);
    }

    // The array may be longer than the table; what lies between is null, and CheckNotNull tells the two apart.
    void LoadElement(int table, Expression index, int callee)
    {
        var image = body.Module.Image;
        body.LoadContext();
        if (table == 0)
        {
            Il.LoadField(image.Field(GuestMembers.Table0));
        }
        else
        {
            Il.LoadField(image.Field(GuestMembers.Tables));
            Il.Constant(table);
            Il.Op(ILOpCode.Ldelem_ref);
        }
        Il.LoadField(image.Field(GuestMembers.TableElements));
        var elements = body.TableElements();
        Il.StoreLocal(elements);
        if (!body.Module.Lacks(SafetyCheck.CallIndexes))
        {
            stack.WriteCopy(index);
            Il.LoadLocal(elements);
            Il.Op(ILOpCode.Ldlen);
            Il.Op(index.Type == CilType.I64 ? ILOpCode.Conv_u8 : ILOpCode.Conv_i4);
            Il.Jump(ILOpCode.Bge_un, body.Trap(TrapCode.UndefinedElement));
        }
        Il.LoadLocal(elements);
        stack.WriteCopy(index);
        if (index.Type == CilType.I64) Il.Op(ILOpCode.Conv_i4);
        Il.Op(ILOpCode.Ldelem_ref);
        Il.StoreLocal(callee);
    }

    void CheckNotNull(int table, Expression index, int callee)
    {
        if (body.Module.Lacks(SafetyCheck.NullElements)) return;
        var isFunction = new IlLabel();
        Il.LoadLocal(callee);
        Il.Jump(ILOpCode.Brtrue, isFunction);
        body.LoadContext();
        Il.Constant(table);
        stack.WriteCopy(index);
        if (index.Type == CilType.I64) Il.Op(ILOpCode.Conv_i4);
        Il.Call(body.Module.Image.Method(GuestMembers.TrapNullElement), 3, 0);
        Il.Mark(isFunction);
    }

    void CallThrough(int callee, FunctionType type, bool isTail)
    {
        if (isTail && body.RegionDepth != 0) LeaveFor(type, () => WriteCallThrough(callee, type, isTail));
        else WriteCallThrough(callee, type, isTail);
    }

    void WriteCallThrough(int callee, FunctionType type, bool isTail)
    {
        var image = body.Module.Image;
        WriteArguments(type);
        Il.LoadLocal(callee);
        Il.LoadField(image.Field(GuestMembers.Context));
        var more = WriteResultAddresses(type, isTail);
        Il.LoadLocal(callee);
        Il.LoadField(image.Field(GuestMembers.Code));
        body.Pool.Free(CilType.Object, callee);
        if (isTail) Il.Tail();
        Il.CallIndirect(image.CallSite(type), Operands(type) + 1, Returned(type));
        Finish(type, more, isTail);
    }

    void WriteArguments(FunctionType type)
    {
        var count = type.Parameters.Length;
        for (var i = count - 1; i >= 0; i--) stack.Write(stack.Peek(i));
        for (var i = 0; i < count; i++) stack.Pop();
    }

    int[] WriteResultAddresses(FunctionType type, bool isTail)
    {
        if (type.Results.Length < 2) return [];
        for (var i = 1; isTail && i < type.Results.Length; i++) body.LoadResultAddress(i);
        if (isTail) return [];
        var temps = new int[type.Results.Length - 1];
        for (var i = 0; i < temps.Length; i++)
        {
            temps[i] = body.Pool.TakeExposed(CilTypes.Of(type.Results[i + 1]));
            Il.LoadLocalAddress(temps[i]);
        }
        return temps;
    }

    void Finish(FunctionType type, int[] more, bool isTail)
    {
        if (isTail)
        {
            Il.Op(ILOpCode.Ret);
            Il.EndOfPath();
        }
        else
        {
            PushResults(type, more);
        }
    }

    void PushResults(FunctionType type, int[] more)
    {
        body.ReloadMemories(); // with the result, if any, on the CIL stack
        if (type.Results.IsEmpty) return;
        var temp = body.Pool.Take(CilTypes.Of(type.Results[0]));
        Il.StoreLocal(temp);
        stack.Push(Expression.Temp(type.Results[0], temp));
        for (var i = 0; i < more.Length; i++) stack.Push(Expression.Temp(type.Results[i + 1], more[i]));
    }

    static int Operands(FunctionType type) => type.Parameters.Length + 1 + Math.Max(0, type.Results.Length - 1);

    static int Returned(FunctionType type) => type.Results.IsEmpty ? 0 : 1;
}
