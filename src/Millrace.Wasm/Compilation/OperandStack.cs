using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// The wasm operand stack while compiling: expressions that are written out when something uses them. To settle one
/// is to compute it into a temporary.
/// </summary>
sealed class OperandStack(FunctionBody body)
{
    // Unsettled expressions kept at most; bounds the cost of looking through them at every assignment.
    const int UnsettledMax = 32;

    static readonly FieldInfo UnknownZero = GuestMembers.Field(typeof(GuestMath), nameof(GuestMath.UnknownZero));

    readonly List<Expression> _entries = [];
    int _settled; // entries below are settled

    IlWriter Il => body.Il;

    public int Count => _entries.Count;

    public void Reset()
    {
        _entries.Clear();
        _settled = 0;
    }

    public void Push(Expression expression)
    {
        _entries.Add(expression);
        if (expression.Size > Expression.SizeMax && !body.Module.Lacks(SafetyCheck.ExpressionSize)) Settle(_entries.Count - 1);
        if (_entries.Count - _settled > UnsettledMax) Settle(_settled++);
    }

    public Expression Pop()
    {
        var top = _entries[^1];
        _entries.RemoveAt(_entries.Count - 1);
        _settled = Math.Min(_settled, _entries.Count);
        return top;
    }

    /// <summary>The top as something that may be written out twice, as long as no local is assigned.</summary>
    public Expression PopKept()
    {
        var top = Pop();
        return top.Kind == ExpressionKind.Local ? top : Settled(top);
    }

    /// <summary>The entry that many below the top.</summary>
    public Expression Peek(int below) => _entries[^(below + 1)];

    /// <summary>Hides the numbers among the top entries, which are about to be used, from the JIT.</summary>
    public void Hide(int count)
    {
        var first = Math.Max(0, _entries.Count - count);
        for (var i = first; i < _entries.Count; i++) _entries[i] = Expression.Hidden(_entries[i]);
        _settled = Math.Min(_settled, first);
    }

    /// <summary>Forgets entries down to that height, and frees what they own.</summary>
    public void Truncate(int height)
    {
        while (_entries.Count > height) Release(Pop());
    }

    /// <summary>Before an assignment of a local.</summary>
    public void SettleReadersOf(int local)
    {
        for (var i = _settled; i < _entries.Count; i++)
            if (_entries[i].ReadsLocal(local)) Settle(i);
    }

    /// <summary>Before a side effect; the top <paramref name="except"/> entries are its operands.</summary>
    public void SettleReadersOf(Reads changed, int except = 0)
    {
        for (var i = _settled; i < _entries.Count - except; i++)
            if ((_entries[i].Reads & changed) != 0) Settle(i);
    }

    /// <summary>Before control splits or joins.</summary>
    public void SettleAll()
    {
        for (; _settled < _entries.Count; _settled++) Settle(_settled);
    }

    public void SettleTop(int count)
    {
        for (var i = Math.Max(_settled, _entries.Count - count); i < _entries.Count; i++) Settle(i);
    }

    /// <summary>The same value as something that may be written out twice, and that is still owned.</summary>
    public Expression Settled(Expression expression)
    {
        if (expression.IsSettled) return expression;
        Write(expression);
        var temp = body.Pool.Take(expression.Type);
        Il.StoreLocal(temp);
        return expression.InTemp(temp);
    }

    /// <summary>Writes the code that computes it, and frees what it owns.</summary>
    public void Write(Expression expression) => Write(expression, frees: true);

    /// <summary>As <see cref="Write(Expression)"/>, where the JIT may know a constant.</summary>
    public void WriteOperand(Expression expression)
    {
        if (expression.Kind == ExpressionKind.Constant) WriteConstant(expression);
        else Write(expression);
    }

    /// <summary>Writes a settled expression or a local without freeing it.</summary>
    public void WriteCopy(Expression expression) => Write(expression, frees: false);

    public void Release(Expression? expression)
    {
        if (expression is null) return;
        if (expression.Kind == ExpressionKind.Temp) body.Pool.Free(expression.Type, expression.Index);
        Release(expression.A);
        Release(expression.B);
        Release(expression.C);
    }

    /// <summary>A jump on a condition.</summary>
    public void WriteJump(Expression condition, bool whenTrue, IlLabel target)
    {
        var operation = condition.Operation;
        if (operation is null || operation.JumpIfTrue == ILOpCode.Nop)
        {
            WriteOperand(condition);
            Il.Jump(whenTrue ? ILOpCode.Brtrue : ILOpCode.Brfalse, target);
            return;
        }
        if (condition is { B: null, A.Type: CilType.I32 }) // i32.eqz
        {
            WriteJump(condition.A, !whenTrue, target);
            return;
        }
        WriteOperand(condition.A!);
        if (condition.B is { } right) WriteOperand(right);
        Il.Jump(whenTrue ? operation.JumpIfTrue : operation.JumpIfFalse, target);
    }

    void Settle(int index) => _entries[index] = Settled(_entries[index]);

    void Write(Expression expression, bool frees)
    {
        switch (expression.Kind)
        {
            case ExpressionKind.Constant: WriteHidden(expression); break;
            case ExpressionKind.Local: body.LoadWasmLocal(expression.Index); break;
            case ExpressionKind.BlockTemp: Il.LoadLocal(expression.Index); break;
            case ExpressionKind.Temp: WriteTemp(expression, frees); break;
            case ExpressionKind.Operation: WriteOperation(expression); break;
            case ExpressionKind.Load: MemoryAccess.WriteLoad(body, this, expression); break;
            case ExpressionKind.Global: WriteGlobal(expression); break;
            case ExpressionKind.Member: WriteMember(expression); break;
            case ExpressionKind.MemorySize: MemoryAccess.WriteSize(body, expression); break;
            case ExpressionKind.Linked: body.LoadLinked(expression.Index, expression.Type); break;
            case ExpressionKind.Field: Il.LoadStaticField(body.Module.Image.Field(expression.Field!)); break;
            case ExpressionKind.UnknownZero: WriteUnknownZero(expression.Type); break;
        }
    }

    void WriteTemp(Expression temp, bool frees)
    {
        if (!frees || !Il.TryTakeBackStore(temp.Index)) Il.LoadLocal(temp.Index);
        if (frees) body.Pool.Free(temp.Type, temp.Index);
    }

    void WriteConstant(Expression constant)
    {
        switch (constant.Type)
        {
            case CilType.I32: Il.Constant((int)constant.Bits); break;
            case CilType.I64: Il.Constant((long)constant.Bits); break;
            case CilType.F32: WriteF32((int)constant.Bits); break;
            case CilType.F64: WriteF64((long)constant.Bits); break;
            case CilType.V128: WriteVector(constant); break;
            default: Il.Op(ILOpCode.Ldnull); break;
        }
    }

    // A signalling NaN as floating-point constant would come out quiet; so would its bits as an integer constant,
    // because the JIT keeps an f32 constant as f64.
    void WriteF32(int bits)
    {
        var value = BitConverter.Int32BitsToSingle(bits);
        if (!float.IsNaN(value))
        {
            Il.Constant(value);
            return;
        }
        Il.Constant(bits);
        Il.LoadStaticField(body.Module.Image.Field(UnknownZero));
        Il.Op(ILOpCode.Or);
        Il.Call(Method(Opcode.F32ReinterpretI32), 1, 1);
    }

    void WriteF64(long bits)
    {
        var value = BitConverter.Int64BitsToDouble(bits);
        if (!double.IsNaN(value))
        {
            Il.Constant(value);
            return;
        }
        Il.Constant(bits);
        Il.Call(Method(Opcode.F64ReinterpretI64), 1, 1);
    }

    // What goes to a local, a block's end or a call may become an operand of float arithmetic: see GuestMath.F32Zero.
    void WriteHidden(Expression constant)
    {
        var image = body.Module.Image;
        if (Numbers.Hidden(constant) is { Kind: ExpressionKind.Field } number)
        {
            Il.LoadStaticField(image.Field(number.Field!));
        }
        else if (constant.Type == CilType.V128 && VectorConstants.IsFoldable(constant.Vector))
        {
            Il.LoadStaticField(image.Field(VectorConstants.UnknownZero));
            if (constant.IsZero) return;
            WriteVector(constant);
            Il.Call(image.Method(VectorConstants.Or), 2, 1);
        }
        else
        {
            WriteConstant(constant);
        }
    }

    void WriteVector(Expression constant)
    {
        if (constant.IsZero)
        {
            Il.Call(body.Module.Image.Method(GuestMembers.VectorZero), 0, 1);
            return;
        }
        Il.Constant((long)constant.Bits);
        Il.Constant((long)constant.HighBits);
        VectorOperations.FromHalves.Write(Il, body.Module.Image);
    }

    void WriteOperation(Expression expression)
    {
        var operation = expression.Operation!;
        if (operation.Vector is { } vector)
        {
            vector.Write(this, Il, body.Module.Image, expression);
            return;
        }
        WriteOperand(expression.A!);
        if (expression.B is { } right) WriteOperand(right);
        if (operation.Method is { } method)
            Il.Call(body.Module.Image.Method(method), expression.B is null ? 1 : 2, 1);
        foreach (var code in operation.Code) Il.Op(code);
    }

    void WriteUnknownZero(CilType type)
    {
        body.LoadContext();
        Il.LoadField(body.Module.Image.Field(GuestMembers.UnknownZero));
        if (type == CilType.I32) Il.Op(ILOpCode.Conv_i4);
    }

    void WriteMember(Expression expression)
    {
        Write(expression.A!);
        Il.LoadField(expression.Index);
        if ((ILOpCode)expression.Bits is var extension and not ILOpCode.Nop) Il.Op(extension);
    }

    void WriteGlobal(Expression expression)
    {
        WriteGlobalAddress(expression.Index);
        if (expression.Type == CilType.Object) Il.LoadField(body.Module.Image.Field(GuestMembers.Reference));
        else expression.Type.LoadIndirect(Il, body.Module.Image);
    }

    /// <summary>The cell of a global that holds a number, the object of one that holds a reference.</summary>
    public void WriteGlobalAddress(int index)
    {
        var image = body.Module.Image;
        var global = body.Module.Definition.Globals[index];
        body.LoadContext();
        if (global.Type.Kind == ValueKind.Ref)
        {
            Il.LoadField(image.Field(GuestMembers.Globals));
            Il.Constant(index);
            Il.Op(ILOpCode.Ldelem_ref);
            return;
        }
        Il.LoadField(image.Field(GuestMembers.Cells));
        if (index != 0)
        {
            Il.Constant(index * Store.CellBytes);
            Il.Op(ILOpCode.Conv_i);
            Il.Op(ILOpCode.Add);
        }
        if (global.Import is not null) Il.Op(ILOpCode.Ldind_i);
    }

    int Method(Opcode opcode) =>
        body.Module.Image.Method(GuestMembers.Method(typeof(GuestMath), opcode.ToString()));
}
