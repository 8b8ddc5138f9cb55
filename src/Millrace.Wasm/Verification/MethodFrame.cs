
namespace Millrace.Wasm.Verification;

/// <summary>The method being verified: its slots, the operands, and what is known where control is.</summary>
sealed class MethodFrame(Contract contract, MemberTable members)
{
    const int Assigned = 1;
    const int LengthOf = 0x2000_0000;
    const int BaseOf = 0x3000_0000;
    const int ElementsOf = 0x4000_0000;

    Operand[] _stack = new Operand[16];
    int _depth;
    readonly List<SlotType> _slots = [];
    readonly List<int> _declared = []; // of references in wasm's own slots: what they may hold
    readonly HashSet<int> _registers = []; // slots that held a memory's base or length
    int _depthMax;

    // The last assignment copied the one slot to the other, and neither was assigned since.
    (int From, int To) _copy;

    public Contract Contract { get; } = contract;

    public MemberTable Members { get; } = members;

    public ReferenceTypes References => Contract.References;

    public MethodShape Shape { get; private set; } = null!;

    public int ArgumentCount { get; private set; }

    /// <summary>Arguments and locals.</summary>
    public int SlotCount => _slots.Count;

    public int Depth => _depth;

    /// <summary>What is known here.</summary>
    public FlowState State { get; private set; } = null!;

    /// <summary>The address in that slot plus a constant was seen to be a multiple of the mask plus one.</summary>
    public (int Slot, ulong Added, int Mask) Aligned { get; set; }

    /// <summary>Starts a method.</summary>
    public void Begin(MethodShape shape, IReadOnlyList<SlotType> locals, int depthMax)
    {
        (Shape, _depthMax) = (shape, depthMax);
        _slots.Clear();
        _declared.Clear();
        _registers.Clear();
        _slots.AddRange(shape.Arguments());
        ArgumentCount = _slots.Count;
        if (shape.Kind != MethodKind.GuestEntry)
            foreach (var parameter in shape.Type.Parameters) Declare(parameter);
        while (_declared.Count < ArgumentCount) _declared.Add(ReferenceTypes.Unset);
        var next = 0;
        foreach (var run in shape.Locals)
        {
            for (var i = 0; i < run.Count; i++, next++)
            {
                if (next >= locals.Count || locals[next] != SlotType.From(run.Type))
                    throw new Refusal($"local {next} is not of the type {run.Type}");
                Declare(run.Type);
            }
        }
        _slots.AddRange(locals);
        while (_declared.Count < _slots.Count) _declared.Add(ReferenceTypes.Unset);
    }

    void Declare(ValueType type) =>
        _declared.Add(type.Kind == ValueKind.Ref ? References.Of(type) : ReferenceTypes.Unset);

    /// <summary>What is known at the method's start.</summary>
    public FlowState Entry()
    {
        var resultCount = Shape.Type.Results.Length;
        var state = new FlowState(_slots.Count + resultCount);
        for (var i = 0; i < ArgumentCount; i++)
            state[i] = _slots[i].Kind == SlotKind.Object ? _declared[i] : Assigned;
        return state;
    }

    /// <summary>Goes on at a label, where nothing is on the stack.</summary>
    public void Enter(FlowState state)
    {
        State = state;
        _depth = 0;
        ForgetNearby();
    }

    /// <summary>Goes on with other knowledge of the same place.</summary>
    public void Replace(FlowState state) => State = state;

    /// <summary>Where control may come from elsewhere, what holds along straight code alone is forgotten.</summary>
    public void ForgetNearby()
    {
        _copy = default;
        Aligned = (-1, 0, 0);
    }

    public void Push(in Operand operand)
    {
        if (_depth == _stack.Length) Array.Resize(ref _stack, _depth * 2);
        _stack[_depth++] = operand;
        if (_depth > _depthMax) Contract.Refuse(ProofRule.Depth, $"more than {_depthMax} operands on the stack");
    }

    public void Push(Kind kind, int of = 0, int slot = -1, ulong number = 0) => Push(new(kind, of, slot, number));

    public Operand Pop() => _depth == 0 ? throw new Refusal("an operand is missing") : _stack[--_depth];

    public Operand Peek() => _depth == 0 ? throw new Refusal("an operand is missing") : _stack[_depth - 1];

    public Operand Pop(Kind kind)
    {
        var top = Pop();
        return top.Kind == kind ? top : throw new Refusal($"{top.Kind} where {kind} must be");
    }

    public Operand PopInt32()
    {
        var top = Pop();
        return top.IsInt32 ? top : throw new Refusal($"{top.Kind} where a number of 32 bits must be");
    }

    public Operand PopInt64()
    {
        var top = Pop();
        return top.IsInt64 ? top : throw new Refusal($"{top.Kind} where a number of 64 bits must be");
    }

    /// <summary>A constant, such as an index.</summary>
    public int PopConstant()
    {
        var top = Pop(Kind.Int32Constant);
        return (int)(uint)top.Number;
    }

    /// <summary>A constant below a number of things.</summary>
    public int PopIndex(int count)
    {
        var index = PopConstant();
        return (uint)index < (uint)count ? index : throw new Refusal($"{index} is none of {count}");
    }

    /// <summary>A reference that is of that type.</summary>
    public Operand PopObject(int type)
    {
        var top = Pop(Kind.Object);
        if (!References.Is(top.Of, type)) Contract.Refuse(ProofRule.References, "a reference of another type");
        return top;
    }

    /// <summary>A value that a slot, parameter or field of wasm's type takes.</summary>
    public void PopValue(ValueType type)
    {
        if (type.Kind == ValueKind.Ref) PopObject(References.Of(type));
        else PopNumber(SlotType.From(type));
    }

    public void PopNumber(SlotType type)
    {
        var top = Pop();
        var fits = type.Kind switch
        {
            SlotKind.Int32 => top.IsInt32,
            SlotKind.Int64 => top.IsInt64,
            SlotKind.Single => top.Kind == Kind.Single,
            SlotKind.Double => top.Kind == Kind.Double,
            SlotKind.Vector => top.Kind == Kind.Vector && top.Of == type.Of,
            _ => false,
        };
        if (!fits) throw new Refusal($"{top.Kind} where {type.Kind} must be");
    }

    /// <summary>What a call or a field gives, of wasm's type.</summary>
    public void PushValue(ValueType type)
    {
        if (type.Kind == ValueKind.Ref) Push(Kind.Object, References.Of(type));
        else PushNumber(SlotType.From(type));
    }

    public void PushNumber(SlotType type)
    {
        switch (type.Kind)
        {
            case SlotKind.Void: break;
            case SlotKind.Int32: Push(Kind.Int32); break;
            case SlotKind.Int64: Push(Kind.Int64); break;
            case SlotKind.Single: Push(Kind.Single); break;
            case SlotKind.Double: Push(Kind.Double); break;
            case SlotKind.Vector: Push(Kind.Vector, type.Of); break;
            default: throw new Refusal($"{type.Kind} where a number must be");
        }
    }

    public SlotType TypeOf(int slot) =>
        (uint)slot < (uint)_slots.Count ? _slots[slot] : throw new Refusal("there is no such argument or local");

    /// <summary>Loads an argument or local.</summary>
    public void Load(int slot)
    {
        var type = TypeOf(slot);
        var content = State[slot];
        if (content == ReferenceTypes.Unset) Contract.Refuse(ProofRule.Assignment, $"slot {slot} is read before it is assigned");
        switch (type.Kind)
        {
            case SlotKind.Int32: Push(Kind.Int32Slot, 0, slot); break;
            case SlotKind.Int64 when content >= LengthOf: Push(Kind.Length, content - LengthOf); break;
            case SlotKind.Int64: Push(Kind.Int64Slot, 0, slot); break;
            case SlotKind.Object: Push(Kind.Object, content, slot); break;
            case SlotKind.Context: Push(Kind.Context); break;
            case SlotKind.Function: Push(Kind.Object, ReferenceTypes.Self, slot); break;
            case SlotKind.BytePointer: Push(Kind.MemoryBase, content - BaseOf); break;
            case SlotKind.LongPointer: Push(Kind.FuelCell); break;
            case SlotKind.ObjectArray: Push(Kind.Elements, content - ElementsOf); break;
            case SlotKind.Array: Push(Kind.Items, content); break;
            case SlotKind.ValueArray: Push(Kind.Values); break;
            case SlotKind.Reference: Push(Kind.ResultAddress, slot - Shape.ContextArgument); break;
            case SlotKind.ValueReference:
                Push(Kind.ValueAddress, slot == 0 ? ValueRun.Parameters : ValueRun.Results);
                break;
            default: PushNumber(type); break;
        }
    }

    /// <summary>Assigns an argument or local.</summary>
    public void Store(int slot)
    {
        var (type, value) = (TypeOf(slot), Pop());
        var content = (type.Kind, value.Kind) switch
        {
            (SlotKind.Int32, _) when value.IsInt32 => Assigned,
            (SlotKind.Int64, Kind.Length) => LengthOf + value.Of,
            (SlotKind.Int64, _) when value.IsInt64 => Assigned,
            (SlotKind.Single, Kind.Single) or (SlotKind.Double, Kind.Double) => Assigned,
            (SlotKind.Vector, Kind.Vector) when value.Of == type.Of => Assigned,
            (SlotKind.Object, Kind.Object) => ContentOf(slot, value.Of),
            (SlotKind.Object, Kind.Thrown) => ReferenceTypes.Thrown,
            (SlotKind.BytePointer, Kind.MemoryBase) => BaseOf + value.Of,
            (SlotKind.LongPointer, Kind.FuelCell) => Assigned,
            (SlotKind.ObjectArray, Kind.Elements) => ElementsOf + value.Of,
            (SlotKind.Array, Kind.Items) when value.Of == ReferenceTypes.Null => value.Of,
            (SlotKind.Array, Kind.Items) when (int)ClassRules.StoredAs(AccessRules.ElementOf(this, value.Of)) == type.Of =>
                value.Of,
            (SlotKind.ValueArray, Kind.Values) => Assigned,
            _ => throw new Refusal($"{value.Kind} in a local of the type {type.Kind}"),
        };
        if (content is >= LengthOf and < ElementsOf) _registers.Add(slot);
        Assign(slot, content);
        if (value is { Kind: Kind.Object, Slot: >= 0 } && value.Slot != slot) _copy = (value.Slot, slot);
    }

    // Wasm's own slots keep to what they are declared as, so that loops need no second look.
    int ContentOf(int slot, int type)
    {
        if (type == ReferenceTypes.Thrown) throw new Refusal("an exception of .NET in a second local");
        var declared = _declared[slot];
        if (declared == ReferenceTypes.Unset) return type;
        return References.Is(type, declared) ? declared : throw new Refusal($"a reference of another type in slot {slot}");
    }

    /// <summary>Whatever was known of a slot's content is gone.</summary>
    public void Assign(int slot, int content)
    {
        State[slot] = content;
        State.ForgetChecks(slot);
        if (_copy.From == slot || _copy.To == slot) _copy = default;
        if (Aligned.Slot == slot) Aligned = (-1, 0, 0);
        for (var i = 0; i < _depth; i++)
            if (_stack[i].Slot == slot) _stack[i] = _stack[i] with { Slot = -1 };
    }

    /// <summary>A local whose address was given away was written by a callee.</summary>
    public void AssignResult(int slot, ValueType type)
    {
        if (TypeOf(slot) != SlotType.From(type)) throw new Refusal("a result goes to a local of another type");
        Assign(slot, type.Kind == ValueKind.Ref ? ContentOf(slot, References.Of(type)) : Assigned);
    }

    /// <summary>The address of a local, for a callee to write to.</summary>
    public void LoadAddress(int slot)
    {
        if (slot < ArgumentCount || _declared[slot] != ReferenceTypes.Unset || TypeOf(slot).Kind is
                not (SlotKind.Int32 or SlotKind.Int64 or SlotKind.Single or SlotKind.Double or SlotKind.Vector
                or SlotKind.Object))
        {
            throw new Refusal("the address of what is none of the compiler's locals");
        }
        Assign(slot, ReferenceTypes.Unset);
        Push(Kind.LocalAddress, 0, slot);
    }

    /// <summary>The reference in a slot, and in one it was copied from or to, is seen to be of a type.</summary>
    public void Narrow(int slot, int type)
    {
        if (slot < 0) return;
        NarrowOne(slot, type);
        if (_copy.From == _copy.To) return;
        if (_copy.From == slot) NarrowOne(_copy.To, type);
        else if (_copy.To == slot) NarrowOne(_copy.From, type);
    }

    // Two types of which neither is below the other have null alone in common.
    void NarrowOne(int slot, int type)
    {
        var known = State[slot];
        if (!References.Is(known, type)) State[slot] = References.Is(type, known) ? type : ReferenceTypes.Null;
    }

    /// <summary>Behind what may have grown a memory: lengths are old, and so are bases that may have moved.</summary>
    public void ForgetRegisters()
    {
        foreach (var operand in _stack.AsSpan(0, _depth))
        {
            if (operand.Kind is Kind.Length or Kind.Room or Kind.MemoryBase or Kind.Address32 or Kind.Address64
                or Kind.AddressConstant)
            {
                throw new Refusal("a memory's length or address is used across a call that may grow it");
            }
        }
        foreach (var slot in _registers)
        {
            if (TypeOf(slot).Kind == SlotKind.BytePointer)
            {
                if (Contract.MovesMemories) State[slot] = ReferenceTypes.Unset;
            }
            else if (State[slot] >= LengthOf)
            {
                State[slot] = ReferenceTypes.Unset;
            }
        }
    }

    /// <summary>Bytes that a memory has for sure.</summary>
    public ulong LengthMin(int memory) => Math.Max(Contract.LengthMin(memory), State.LengthOf(memory));

    /// <summary>A result behind the first is written.</summary>
    public void MarkResult(int result) => State[_slots.Count + result] = Assigned;

    /// <summary>All results behind the first must be.</summary>
    public void CheckResults()
    {
        for (var i = 1; i < Shape.Type.Results.Length && Shape.Kind != MethodKind.GuestEntry; i++)
        {
            if (State[_slots.Count + i] == ReferenceTypes.Unset)
                Contract.Refuse(ProofRule.Results, $"result {i} is not written where the function returns");
        }
    }

    /// <summary>What slots hold where two paths meet.</summary>
    public readonly struct SlotJoin(MethodFrame frame) : IJoin<int>
    {
        public int Join(int slot, int left, int right) => frame.Join(slot, left, right);
    }

    int Join(int slot, int left, int right)
    {
        if (left == ReferenceTypes.Unset || right == ReferenceTypes.Unset) return ReferenceTypes.Unset;
        if (slot >= _slots.Count) return Assigned;
        return _slots[slot].Kind switch
        {
            SlotKind.Object or SlotKind.Array => References.Join(left, right),
            SlotKind.Int64 => Assigned,
            _ => ReferenceTypes.Unset, // another memory's, another table's
        };
    }

    /// <summary>
    /// What is known where a handler starts that may run after any part of some code: what the slots assigned there
    /// hold is known by their declaration alone.
    /// </summary>
    public FlowState AtHandler(FlowState before, ReadOnlySpan<(int At, int Slot)> stores)
    {
        var state = before.Copy();
        state.ForgetChecks();
        foreach (var (_, slot) in stores)
        {
            if (state[slot] == ReferenceTypes.Unset) continue;
            state[slot] = TypeOf(slot).Kind switch
            {
                SlotKind.Object when _declared[slot] != ReferenceTypes.Unset => _declared[slot],
                SlotKind.Object => ReferenceTypes.Top,
                SlotKind.Int64 when state[slot] < LengthOf => Assigned,
                SlotKind.Int32 or SlotKind.Single or SlotKind.Double or SlotKind.Vector => Assigned,
                _ => ReferenceTypes.Unset,
            };
        }
        foreach (var slot in _registers)
        {
            var isBase = TypeOf(slot).Kind == SlotKind.BytePointer;
            if (isBase ? Contract.MovesMemories : state[slot] >= LengthOf) state[slot] = ReferenceTypes.Unset;
        }
        return state;
    }
}
