using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Verification;

/// <summary>
/// Loads and stores through addresses: into a memory only what was checked, elsewhere only what the engine keeps for
/// the guest, as the type that it has.
/// </summary>
static class AccessRules
{
    public static void Load(MethodFrame frame, ILOpCode op)
    {
        var from = frame.Pop();
        switch (from.Kind)
        {
            case Kind.ElementAddress: LoadElement(frame, from.Of, op); break;
            case Kind.Cells when op == ILOpCode.Ldind_i:
                frame.Push(Kind.Cell, GlobalAt(frame, from, isImport: true));
                break;
            case Kind.Cells when TypeNumberAt(frame, from) is var (type, isKey):
                if (op != (isKey ? ILOpCode.Ldind_i8 : ILOpCode.Ldind_i4)) throw new Refusal("a type's number as another type");
                frame.Push(isKey ? Kind.TypeKey : Kind.TypeNumber, frame.References.Defined(type));
                break;
            case Kind.Cells: LoadGlobal(frame, GlobalAt(frame, from, isImport: false), op); break;
            case Kind.Cell: LoadGlobal(frame, from.Of, op); break;
            case Kind.FuelCell when op == ILOpCode.Ldind_i8: frame.Push(Kind.FuelValue); break;
            default:
                CheckAddress(frame, from, BytesOf(op));
                frame.Push(KindOf(op), op == ILOpCode.Ldobj ? LaneTypes.Byte : 0);
                break;
        }
    }

    public static void Store(MethodFrame frame, ILOpCode op)
    {
        var value = frame.Pop();
        var to = frame.Pop();
        frame.Push(value);
        switch (to.Kind)
        {
            case Kind.ElementAddress: StoreElement(frame, to.Of, op); break;
            case Kind.ResultAddress: StoreResult(frame, to.Of, op); break;
            case Kind.Cells: StoreGlobal(frame, GlobalAt(frame, to, isImport: false), op); break;
            case Kind.Cell: StoreGlobal(frame, to.Of, op); break;
            case Kind.FuelCell when op == ILOpCode.Stind_i8: StoreFuel(frame); break;
            default:
                frame.PopNumber(TypeOf(op));
                CheckAddress(frame, to, BytesOf(op));
                break;
        }
    }

    static void StoreFuel(MethodFrame frame)
    {
        if (frame.Pop().Kind != Kind.FuelLeft) frame.Contract.Refuse(ProofRule.Fuel, "fuel that does not only fall");
    }

    /// <summary>Whether so many bytes from an address on are in its memory for sure.</summary>
    public static void CheckAddress(MethodFrame frame, Operand address, int bytes)
    {
        var end = address.Number + (ulong)bytes;
        var memory = address.Of;
        var isFine = end >= address.Number && address.Kind switch
        {
            Kind.MemoryBase or Kind.AddressConstant =>
                end <= frame.LengthMin(memory) || frame.Contract.IsGuarded(memory, end),
            Kind.Address32 => IsChecked() || (end <= long.MaxValue
                && frame.Contract.IsGuarded(memory, end + uint.MaxValue)),
            Kind.Address64 => IsChecked(),
            _ => throw new Refusal($"an access through {address.Kind}"),
        };
        if (isFine) return;
        frame.Contract.Refuse(
            ProofRule.Accesses, $"an access to memory {memory} of {bytes} bytes at + {address.Number} without check");

        bool IsChecked() => address.Slot >= 0 && frame.State.CheckedBytes(memory, address.Slot) >= end;
    }

    /// <summary>Whether an address is a multiple of the size of what is there.</summary>
    public static void CheckAlignment(MethodFrame frame, Operand address, int bytes)
    {
        var (mask, aligned) = ((ulong)bytes - 1, frame.Aligned);
        var isFine = mask == 0 || ((ulong)aligned.Mask == mask && address.Kind switch
        {
            Kind.Address32 or Kind.Address64 => address.Slot >= 0 && aligned.Slot == address.Slot,
            _ => aligned.Slot == -2, // the sum of constants
        } && (aligned.Added & mask) == (address.Number & mask));
        if (!isFine) frame.Contract.Refuse(ProofRule.Alignment, "an atomic access that may be unaligned");
    }

    public static void LoadLength(MethodFrame frame)
    {
        var array = frame.Pop();
        if (array.Kind is not (Kind.Elements or Kind.Items)) throw new Refusal($"the length of {array.Kind}");
        frame.Push(Kind.NativeNumber);
    }

    /// <summary><c>ldelem.ref</c>: the index is checked by the JIT.</summary>
    public static void LoadReferenceElement(MethodFrame frame)
    {
        var index = frame.PopInt32();
        var array = frame.Pop();
        frame.Push(index);
        var definition = frame.Contract.Definition;
        switch (array.Kind)
        {
            case Kind.Memories: frame.Push(Kind.Memory, frame.PopIndex(definition.Memories.Length)); break;
            case Kind.Tables: frame.Push(Kind.Table, frame.PopIndex(definition.Tables.Length)); break;
            case Kind.Globals: frame.Push(Kind.Global, frame.PopIndex(definition.Globals.Length)); break;
            case Kind.Imports:
                var function = definition.Functions[frame.PopIndex(definition.ImportedFunctionCount)];
                frame.Push(Kind.Object, frame.References.Defined(function.TypeIndex));
                break;
            case Kind.Elements:
                frame.Pop();
                frame.Push(Kind.Object, frame.References.Of(definition.Tables[array.Of].ElementType));
                break;
            default: throw new Refusal($"an element of {array.Kind}");
        }
    }

    /// <summary><c>ldelema</c>: the index is checked by the JIT.</summary>
    public static void LoadElementAddress(MethodFrame frame, SlotType stored)
    {
        frame.PopInt32();
        var items = frame.Pop(Kind.Items);
        if (items.Of != ReferenceTypes.Null && (int)ClassRules.StoredAs(ElementOf(frame, items.Of)) != stored.Of)
            throw new Refusal("an element as another type");
        frame.Push(Kind.ElementAddress, items.Of);
    }

    /// <summary>The element of an array type.</summary>
    public static FieldType ElementOf(MethodFrame frame, int type) =>
        ReferenceTypes.IsDefined(type) && frame.References.DefinitionOf(type) is { Kind: CompositeKind.Array } array
            ? array.Fields[0]
            : throw new Refusal("elements of what is not known to be an array");

    /// <summary>Arrays whose elements cannot be set are written by whoever makes them alone.</summary>
    public static void CheckMutable(int type, FieldType element)
    {
        if (!element.IsMutable && !ReferenceTypes.IsExact(type)) throw new Refusal("a store to what cannot be set");
    }

    static void LoadElement(MethodFrame frame, int type, ILOpCode op)
    {
        if (type != ReferenceTypes.Null && !Fits(ClassRules.StoredAs(ElementOf(frame, type)), op))
            throw new Refusal("an element is read as another type");
        frame.Push(KindOf(op), op == ILOpCode.Ldobj ? LaneTypes.Byte : 0);
    }

    static void StoreElement(MethodFrame frame, int type, ILOpCode op)
    {
        if (type != ReferenceTypes.Null)
        {
            var element = ElementOf(frame, type);
            CheckMutable(type, element);
            if (!Fits(ClassRules.StoredAs(element), op)) throw new Refusal("an element is written as another type");
        }
        frame.PopNumber(TypeOf(op));
    }

    static void StoreResult(MethodFrame frame, int result, ILOpCode op)
    {
        var type = frame.Shape.Type.Results[result];
        var isFine = type.Kind == ValueKind.Ref ? op == ILOpCode.Stind_ref : TypeOf(op) == SlotType.From(type) && IsWhole(op);
        if (!isFine) throw new Refusal($"result {result} is written as another type");
        frame.PopValue(type);
        frame.MarkResult(result);
    }

    static (int Type, bool IsKey)? TypeNumberAt(MethodFrame frame, Operand cells)
    {
        var (index, rest) = Math.DivRem(cells.Number, Wasm.Store.CellBytes);
        var (first, numbers) = ((ulong)frame.Contract.Definition.Globals.Length, frame.Contract.TypeNumbers);
        return rest == 0 && index >= first && index - first < (ulong)numbers.Count ? numbers[(int)(index - first)] : null;
    }

    static int GlobalAt(MethodFrame frame, Operand cells, bool isImport)
    {
        var (index, rest) = Math.DivRem(cells.Number, Wasm.Store.CellBytes);
        var definition = frame.Contract.Definition;
        if (rest != 0 || index >= (ulong)definition.Globals.Length
            || isImport != (index < (ulong)definition.ImportedGlobalCount))
        {
            throw new Refusal("an access among the cells of globals that is none of a global");
        }
        return (int)index;
    }

    static void LoadGlobal(MethodFrame frame, int global, ILOpCode op)
    {
        CheckGlobal(frame, global, KindOf(op), op);
        frame.Push(KindOf(op), op == ILOpCode.Ldobj ? LaneTypes.Byte : 0);
    }

    static void StoreGlobal(MethodFrame frame, int global, ILOpCode op)
    {
        if (!frame.Contract.Definition.Globals[global].IsMutable)
            frame.Contract.Refuse(ProofRule.Constants, "a store to what cannot be set");
        CheckGlobal(frame, global, Kind.None, op);
        frame.PopNumber(TypeOf(op));
    }

    static void CheckGlobal(MethodFrame frame, int global, Kind kind, ILOpCode op)
    {
        var type = frame.Contract.Definition.Globals[global].Type;
        if (type.Kind == ValueKind.Ref || TypeOf(op) != SlotType.From(type) || !IsWhole(op))
            frame.Contract.Refuse(ProofRule.Globals, $"global {global} is accessed as another type, {kind}");
    }

    static bool IsWhole(ILOpCode op) => op is ILOpCode.Ldind_i4 or ILOpCode.Ldind_i8 or ILOpCode.Ldind_r4
        or ILOpCode.Ldind_r8 or ILOpCode.Ldobj or ILOpCode.Stind_i4 or ILOpCode.Stind_i8 or ILOpCode.Stind_r4
        or ILOpCode.Stind_r8 or ILOpCode.Stobj;

    static bool Fits(Stored stored, ILOpCode op) => stored switch
    {
        Stored.Byte => op is ILOpCode.Ldind_i1 or ILOpCode.Ldind_u1 or ILOpCode.Stind_i1,
        Stored.UInt16 => op is ILOpCode.Ldind_i2 or ILOpCode.Ldind_u2 or ILOpCode.Stind_i2,
        Stored.Int32 => op is ILOpCode.Ldind_i4 or ILOpCode.Stind_i4,
        Stored.Int64 => op is ILOpCode.Ldind_i8 or ILOpCode.Stind_i8,
        Stored.Single => op is ILOpCode.Ldind_r4 or ILOpCode.Stind_r4,
        Stored.Double => op is ILOpCode.Ldind_r8 or ILOpCode.Stind_r8,
        Stored.Vector => op is ILOpCode.Ldobj or ILOpCode.Stobj,
        _ => false,
    };

    static int BytesOf(ILOpCode op) => op switch
    {
        ILOpCode.Ldind_i1 or ILOpCode.Ldind_u1 or ILOpCode.Stind_i1 => 1,
        ILOpCode.Ldind_i2 or ILOpCode.Ldind_u2 or ILOpCode.Stind_i2 => 2,
        ILOpCode.Ldind_i4 or ILOpCode.Ldind_u4 or ILOpCode.Ldind_r4 or ILOpCode.Stind_i4 or ILOpCode.Stind_r4 => 4,
        ILOpCode.Ldind_i8 or ILOpCode.Ldind_r8 or ILOpCode.Stind_i8 or ILOpCode.Stind_r8 => 8,
        ILOpCode.Ldobj or ILOpCode.Stobj => 16,
        _ => throw new Refusal($"{op} of what is no number"),
    };

    static SlotType TypeOf(ILOpCode op) => op switch
    {
        ILOpCode.Ldind_i8 or ILOpCode.Stind_i8 => new(SlotKind.Int64),
        ILOpCode.Ldind_r4 or ILOpCode.Stind_r4 => new(SlotKind.Single),
        ILOpCode.Ldind_r8 or ILOpCode.Stind_r8 => new(SlotKind.Double),
        ILOpCode.Ldobj or ILOpCode.Stobj => SlotType.Vector,
        ILOpCode.Ldind_i or ILOpCode.Stind_ref => throw new Refusal($"{op} of what is no reference"),
        _ => new(SlotKind.Int32),
    };

    static Kind KindOf(ILOpCode op) => TypeOf(op).Kind switch
    {
        SlotKind.Int64 => Kind.Int64,
        SlotKind.Single => Kind.Single,
        SlotKind.Double => Kind.Double,
        SlotKind.Vector => Kind.Vector,
        _ => Kind.Int32,
    };
}
