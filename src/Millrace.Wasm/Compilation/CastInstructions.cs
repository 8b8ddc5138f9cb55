using System.Reflection.Metadata;
using Millrace.Wasm.Ahead;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Compilation;

/// <summary>Tests and casts of references, and the branches on them.</summary>
sealed class CastInstructions(FunctionBody body, OperandStack stack, ControlFlow control)
{
    static readonly Expression Always = Expression.Constant(CilType.I32, 1);
    static readonly Expression Never = Expression.Constant(CilType.I32, 0);

    static readonly Operation IsExact = Test(nameof(Casts.IsExact));
    static readonly Operation IsKnownExact = Test(nameof(Casts.IsKnownExact));
    static readonly Operation IsOf = Test(nameof(Casts.IsOf));
    static readonly Operation IsKnownOf = Test(nameof(Casts.IsKnownOf));
    static readonly Operation IsKind = Test(nameof(Casts.IsKind));
    static readonly Operation IsKnownKind = Test(nameof(Casts.IsKnownKind));
    static readonly Operation IsObject = Test(nameof(Casts.IsObject));
    static readonly Operation IsFunction = Test(nameof(Casts.IsFunction));
    static readonly Operation IsSame = Test(nameof(Casts.IsSame));
    static readonly Operation IsSameObject =
        new(CilType.I32, [ILOpCode.Ceq], null, false, ILOpCode.Beq, ILOpCode.Bne_un);

    public bool TryTranslate(ref InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.RefTest or Opcode.RefTestNull: Test(reader.Reference); return true;
            case Opcode.RefCast or Opcode.RefCastNull: Cast(reader.Reference); return true;
            case Opcode.BrOnCast or Opcode.BrOnCastFail: Branch(ref reader); return true;
            case Opcode.RefEq: Compare(); return true;
            // The same object on either side.
            case Opcode.AnyConvertExtern: Convert(HeapKind.Any); return true;
            case Opcode.ExternConvertAny: Convert(HeapKind.Extern); return true;
            default: return false;
        }
    }

    void Test(ValueType target)
    {
        var value = stack.Pop();
        var passes = Passes(value, target);
        if (passes.A is null) stack.Release(value);
        stack.Push(passes);
    }

    void Cast(ValueType target)
    {
        var value = stack.PopKept();
        var passes = Passes(value.Borrowed(), target);
        if (passes != Always && !body.Module.Lacks(SafetyCheck.Casts))
            stack.WriteJump(passes, whenTrue: false, body.Trap(TrapCode.CastFailure));
        stack.Push(value.Known(target));
    }

    void Branch(ref InstructionReader reader)
    {
        var (source, target) = (reader.CastFrom, reader.Reference);
        var branchesOnFail = reader.Opcode == Opcode.BrOnCastFail;
        var value = stack.PopKept();
        stack.Push(value);
        var passes = Passes(value.Borrowed(), target);
        if (branchesOnFail) passes = Expression.Of(Operations.Find(Opcode.I32Eqz)!, passes);
        control.BranchIf(passes, reader.Index);
        var rest = source with { IsNullable = source.IsNullable && !target.IsNullable };
        stack.Push(stack.Pop().Known(branchesOnFail ? target : rest));
    }

    void Compare()
    {
        var (right, left) = (stack.Pop(), stack.Pop());
        var hasIdentity = IsNoNumber(left.Reference) || IsNoNumber(right.Reference);
        stack.Push(Expression.Of(hasIdentity ? IsSameObject : IsSame, left, right));
    }

    void Convert(HeapKind heap)
    {
        var value = stack.Pop();
        stack.Push(value.Known(ValueType.Reference(heap, value.MayBeNull)));
    }

    /// <summary>Whether a value passes as that type, as a condition over it; or one of the constants.</summary>
    Expression Passes(Expression value, ValueType target)
    {
        var types = body.Module.Types;
        if (IsTop(target.Heap) || Is(value, Nullable(target)))
            return target.IsNullable || !value.MayBeNull ? Always : Expression.Of(Operations.IsNotNull, value);
        if (IsBottom(target.Heap)) return target.IsNullable ? Expression.Of(Operations.IsNull, value) : Never;
        var isKnown = Is(value, EqRef);
        if (target.Heap != HeapKind.Defined)
        {
            var test = target.Heap == HeapKind.Eq ? IsObject : isKnown ? IsKnownKind : IsKind;
            return Expression.Of(test, value, Constant((int)target.Heap, 0, target));
        }
        var hasSubtypes = types.HasSubtypes(target.TypeIndex);
        var isFunction = body.Module.Definition.Types[target.TypeIndex].Kind == CompositeKind.Function;
        var operation = isFunction ? IsFunction
            : hasSubtypes ? isKnown ? IsKnownOf : IsOf
            : isKnown ? IsKnownExact : IsExact;
        return Expression.Of(operation, value, KeyOf(target));
    }

    // Of a defined type.
    Expression KeyOf(ValueType target)
    {
        var types = body.Module.Types;
        if (body.Module.Cells is not { } cells)
            return Constant(types.IdOf(target.TypeIndex), types.DepthOf(target.TypeIndex), target);
        var kind = target.IsNullable ? LinkedKind.NullableKey : LinkedKind.Key;
        return Expression.Linked(CilType.I64, cells.CellOf(new(target.TypeIndex, kind)));
    }

    // Null aside.
    bool Is(Expression value, ValueType type) =>
        value.Reference.Kind == ValueKind.Ref && body.Module.Types.Matches(Nullable(value.Reference), type);

    static ValueType EqRef => ValueType.Reference(HeapKind.Eq, isNullable: true);

    static ValueType Nullable(ValueType type) => type with { IsNullable = true };

    static Expression Constant(int number, int depth, ValueType target) =>
        Expression.Constant(CilType.I64, (ulong)Casts.Key(number, depth, target.IsNullable));

    static bool IsNoNumber(ValueType type) => type.Kind == ValueKind.Ref
        && type.Heap is HeapKind.Defined or HeapKind.Struct or HeapKind.Array or HeapKind.None;

    static bool IsTop(HeapKind heap) => heap is HeapKind.Any or HeapKind.Func or HeapKind.Extern or HeapKind.Exn;

    static bool IsBottom(HeapKind heap) =>
        heap is HeapKind.None or HeapKind.NoFunc or HeapKind.NoExtern or HeapKind.NoExn;

    static Operation Test(string name) => new(CilType.I32, [], GuestMembers.Method(typeof(Casts), name));
}
