using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>What an expression depends on beyond locals; whatever changes it first settles the readers.</summary>
[Flags]
enum Reads : byte
{
    Nothing = 0,
    Memory = 1,
    MemorySize = 2,
    Globals = 4,
    /// <summary>Fields of structs that can be set.</summary>
    Objects = 8,
    All = Memory | MemorySize | Globals | Objects,
}

enum ExpressionKind : byte
{
    /// <summary><see cref="Expression.Bits"/>; null for references.</summary>
    Constant,
    /// <summary>The wasm local <see cref="Expression.Index"/>.</summary>
    Local,
    /// <summary>The CIL local <see cref="Expression.Index"/>, owned: reading it frees it.</summary>
    Temp,
    /// <summary>As <see cref="Temp"/>, but owned by a block.</summary>
    BlockTemp,
    /// <summary><see cref="Expression.Operation"/> on one or two operands.</summary>
    Operation,
    /// <summary>A checked load: address <see cref="Expression.A"/>, offset <see cref="Expression.Bits"/>, memory
    /// <see cref="Expression.Index"/>.</summary>
    Load,
    /// <summary>The global <see cref="Expression.Index"/>.</summary>
    Global,
    /// <summary>The field of an object with the token <see cref="Expression.Index"/>, and in
    /// <see cref="Expression.Bits"/> the instruction behind it.</summary>
    Member,
    /// <summary>Pages of the memory <see cref="Expression.Index"/>.</summary>
    MemorySize,
    /// <summary>A static field: a constant that the JIT must not see.</summary>
    Field,
    /// <summary>The cell <see cref="Expression.Index"/>, behind those of globals: a number that never changes.</summary>
    Linked,
    /// <summary>Zero, read from the instance, so that the JIT does not know it.</summary>
    UnknownZero,
}

/// <summary>
/// A value on the compiler's stack that is not computed yet: a tree without side effects that cannot trap, written
/// out where it is used. So the CIL stack is empty wherever control may split or join, few locals are needed, and the
/// JIT sees whole trees.
/// </summary>
sealed class Expression
{
    /// <summary>A larger tree is computed at once; bounds recursion, maxstack and the cost of a spill.</summary>
    public const int SizeMax = 24;

    public required ExpressionKind Kind { get; init; }
    public required CilType Type { get; init; }
    public ulong Bits { get; init; }
    /// <summary>The upper half of a vector constant.</summary>
    public ulong HighBits { get; init; }
    public int Index { get; init; }
    /// <summary>Lane instructions: which one.</summary>
    public int Lane { get; init; }
    public Operation? Operation { get; init; }
    public Opcode Opcode { get; init; }
    public FieldInfo? Field { get; init; }
    public Expression? A { get; init; }
    public Expression? B { get; init; }
    public Expression? C { get; init; }

    /// <summary>Wasm locals in the tree, as a Bloom filter.</summary>
    public ulong Locals { get; private init; }

    public Reads Reads { get; private init; }

    /// <summary>What is known of a reference by its type; <see cref="ValueKind.Bottom"/> where nothing is.</summary>
    public ValueType Reference { get; private set; }

    /// <summary>Whether null has to be thought of.</summary>
    public bool MayBeNull => Reference.Kind != ValueKind.Ref || Reference.IsNullable;

    /// <summary>Number of nodes.</summary>
    public int Size { get; private init; } = 1;

    /// <summary>Whether it is what new objects are filled with.</summary>
    public bool IsDefault => Kind == ExpressionKind.Constant && IsZero;

    /// <summary>Whether it stays valid whatever happens, and may be written out twice.</summary>
    public bool IsSettled => Kind is ExpressionKind.Constant or ExpressionKind.Temp or ExpressionKind.BlockTemp;

    /// <summary>Constants: whether all bits are zero.</summary>
    public bool IsZero => (Bits | HighBits) == 0;

    /// <summary>Vector constants: the value.</summary>
    public Vector128<byte> Vector => Vector128.Create(Bits, HighBits).AsByte();

    public bool ReadsLocal(int local) => (Locals & Bit(local)) != 0;

    public static Expression Constant(CilType type, ulong bits) =>
        new() { Kind = ExpressionKind.Constant, Type = type, Bits = bits };

    public static Expression Constant(Vector128<byte> value) => new()
    {
        Kind = ExpressionKind.Constant,
        Type = CilType.V128,
        Bits = value.AsUInt64().GetElement(0),
        HighBits = value.AsUInt64().GetElement(1),
    };

    public static Expression Local(ValueType type, int index) => new()
    {
        Kind = ExpressionKind.Local,
        Type = CilTypes.Of(type),
        Reference = type,
        Index = index,
        Locals = Bit(index),
    };

    public static Expression Temp(CilType type, int index) =>
        new() { Kind = ExpressionKind.Temp, Type = type, Index = index };

    public static Expression Temp(ValueType type, int index) =>
        new() { Kind = ExpressionKind.Temp, Type = CilTypes.Of(type), Reference = type, Index = index };

    public static Expression BlockTemp(ValueType type, int index) =>
        new() { Kind = ExpressionKind.BlockTemp, Type = CilTypes.Of(type), Reference = type, Index = index };

    /// <summary>A field of an object that is not null.</summary>
    public static Expression Member(
        ValueType type, Expression owner, int token, ILOpCode extension, bool isMutable)
    {
        return new()
        {
            Kind = ExpressionKind.Member,
            Type = CilTypes.Of(type),
            Reference = type,
            Index = token,
            Bits = (ulong)extension,
            A = owner,
            Locals = owner.Locals,
            Reads = owner.Reads | (isMutable ? Reads.Objects : Reads.Nothing),
            Size = owner.Size + 1,
        };
    }

    /// <summary>The same value, when it was computed into a temporary.</summary>
    public Expression InTemp(int index) =>
        new() { Kind = ExpressionKind.Temp, Type = Type, Reference = Reference, Index = index };

    /// <summary>The same value, when somebody else frees what it owns.</summary>
    public Expression Borrowed() => Kind == ExpressionKind.Temp
        ? new() { Kind = ExpressionKind.BlockTemp, Type = Type, Reference = Reference, Index = Index }
        : this;

    /// <summary>The same reference where it is known not to be null.</summary>
    public Expression NonNull() => Known(
        Reference.Kind == ValueKind.Ref
            ? Reference with { IsNullable = false }
            : ValueType.Reference(HeapKind.Extern, isNullable: false)); // may be anything, so nothing more is known

    /// <summary>The same reference, when more is known of it.</summary>
    public Expression Known(ValueType reference)
    {
        var known = (Expression)MemberwiseClone();
        known.Reference = reference;
        return known;
    }

    public static Expression Of(
        Operation operation, Expression a, Expression? b = null, Expression? c = null, int lane = 0)
    {
        return new()
        {
            Kind = ExpressionKind.Operation,
            Type = operation.Result,
            Operation = operation,
            A = a,
            B = b,
            C = c,
            Lane = lane,
            Locals = a.Locals | (b?.Locals ?? 0) | (c?.Locals ?? 0),
            Reads = a.Reads | (b?.Reads ?? Reads.Nothing) | (c?.Reads ?? Reads.Nothing),
            Size = a.Size + (b?.Size ?? 0) + (c?.Size ?? 0) + 1,
        };
    }

    /// <summary>A load; a lane load puts what it loads into that lane of <paramref name="vector"/>.</summary>
    public static Expression Load(
        Opcode opcode, CilType type, int memory, Expression address, ulong offset, Expression? vector = null,
        int lane = 0)
    {
        return new()
        {
            Kind = ExpressionKind.Load,
            Type = type,
            Opcode = opcode,
            Index = memory,
            A = address,
            B = vector,
            Lane = lane,
            Bits = offset,
            Locals = address.Locals | (vector?.Locals ?? 0),
            Reads = Reads.Memory | (vector?.Reads ?? Reads.Nothing),
            Size = address.Size + (vector?.Size ?? 0) + 1,
        };
    }

    public static Expression Global(ValueType type, int index) => new()
    {
        Kind = ExpressionKind.Global,
        Type = CilTypes.Of(type),
        Reference = type,
        Index = index,
        Reads = Reads.Globals,
    };

    public static Expression MemorySize(CilType type, int memory) =>
        new() { Kind = ExpressionKind.MemorySize, Type = type, Index = memory, Reads = Reads.MemorySize };

    public static Expression StaticField(CilType type, FieldInfo field) =>
        new() { Kind = ExpressionKind.Field, Type = type, Field = field };

    public static Expression Linked(CilType type, int cell) =>
        new() { Kind = ExpressionKind.Linked, Type = type, Index = cell };

    /// <summary>The same number, when the JIT must not know where it comes from.</summary>
    public static Expression Hidden(Expression number)
    {
        var isKnown = number.Kind == ExpressionKind.Constant || number.Operation is { JumpIfTrue: not ILOpCode.Nop };
        var isHidden = number.B is { Kind: ExpressionKind.UnknownZero };
        if (isKnown || isHidden || number.Type is not (CilType.I32 or CilType.I64)) return number;
        var zero = new Expression { Kind = ExpressionKind.UnknownZero, Type = number.Type };
        return Of(number.Type == CilType.I32 ? Operations.I32Or : Operations.I64Or, number, zero);
    }

    static ulong Bit(int local) => 1UL << (local & 63);
}
