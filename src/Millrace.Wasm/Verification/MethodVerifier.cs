using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Verification;

/// <summary>
/// Proves one method after another. Code is walked from its start on with what is known of slots and operands; where
/// paths meet, what holds on both is kept, and whoever was there with more goes over the code once more. At each label
/// the stack is empty.
/// </summary>
sealed class MethodVerifier(Contract contract, ImageTables tables, MemberTable members)
{
    const int CodeMax = 4 << 20;
    const int LocalsMax = 30_000;

    // Instructions gone over, more or less: several times what the largest function takes that is compiled at all.
    const long WorkMax = 1L << 26;

    readonly MethodFrame _frame = new(contract, members);
    readonly CodeScan _scan = new();
    readonly Regions _regions = new();
    readonly Dictionary<int, Label> _labels = [];
    readonly PriorityQueue<int, int> _waiting = new();
    readonly Dictionary<int, int> _thrownBy = []; // by region: what its filter lets through
    TrapPlaces _traps = null!;
    long _work;

    /// <summary>Where it is: for refusals.</summary>
    public int Offset { get; private set; }

    /// <summary>Proves a method.</summary>
    /// <param name="shape">What it must be.</param>
    /// <param name="code">Its instructions.</param>
    /// <param name="locals">Its locals.</param>
    /// <param name="body">The rest of its body.</param>
    public void Verify(MethodShape shape, ReadOnlySpan<byte> code, IReadOnlyList<SlotType> locals, MethodBodyBlock body)
    {
        Offset = -1;
        CheckSize(code, locals);
        _frame.Begin(shape, locals, body.MaxStack);
        _scan.Read(code, _frame.ArgumentCount);
        _regions.Read(body.ExceptionRegions, _scan, code.Length);
        _traps = new TrapPlaces(members, shape.Kind == MethodKind.Function ? shape.ContextArgument : -1);
        _labels.Clear();
        _waiting.Clear();
        _thrownBy.Clear();
        _work = 0;
        LoopRules.CheckPrologue(_frame, _scan, _traps, code);
        Reach(0, _frame.Entry(), isLast: true);
        while (_waiting.TryDequeue(out var at, out _))
            if (_labels[at] is { IsChanged: true } label) Walk(code, at, label);
    }

    void CheckSize(ReadOnlySpan<byte> code, IReadOnlyList<SlotType> locals)
    {
        if (code.Length is 0 or > CodeMax) throw new Refusal($"{code.Length} bytes of code");
        if (locals.Count + locals.Count(local => local.Kind == SlotKind.Vector) > LocalsMax)
            contract.Refuse(ProofRule.FrameSize, "a frame that the stack has no room for");
    }

    // From a label on, as far as control goes and something new is known.
    void Walk(ReadOnlySpan<byte> code, int at, Label label)
    {
        var area = Enter(code, at, label);
        for (var isFirst = true; ; isFirst = false)
        {
            Offset = at;
            if (!isFirst && _scan.IsTarget(at))
            {
                if (_frame.Depth != 0) contract.Refuse(ProofRule.EmptyStack, "operands on the stack at a label");
                if (!_regions.IsReached(area, at)) contract.Refuse(ProofRule.Regions, "code goes on into or out of a protected block");
                label = Reach(at, _frame.State, isLast: true);
                if (!label.IsChanged) return;
                area = Enter(code, at, label);
            }
            var next = Step(code, at, area, out var isEnd);
            if (isEnd) return;
            if (next >= code.Length) throw new Refusal("the code ends without a return");
            at = next;
        }
    }

    // Takes what is known at a label. A loop's is kept, for whoever comes from behind; all others came before.
    int Enter(ReadOnlySpan<byte> code, int at, Label label)
    {
        Offset = at;
        label.IsChanged = false;
        var state = label.State!;
        if (_scan.IsLoop(at))
        {
            LoopRules.CheckInterrupt(_frame, _traps, code, at);
            Work(state.Cost);
            state = state.Copy();
        }
        else
        {
            label.State = null;
        }
        _frame.Enter(state);
        if (_regions.IsEmpty) return Regions.None;
        foreach (var region in _regions.StartingAt(at)) EnterTry(region);
        var area = _regions.AreaAt(at);
        if (area != Regions.None && _regions[area] is { Part: not Regions.Part.Try } part && part.Start == at)
        {
            var thrown = part.Part == Regions.Part.Filter ? ReferenceTypes.Exception : _thrownBy[part.Region];
            _frame.Push(Kind.Thrown, thrown);
        }
        return area;
    }

    // What its filter and handler find, whatever of the block ran.
    void EnterTry(int region)
    {
        var (block, filter, handler) = _regions.Of(region);
        var stores = _scan.StoresIn(block.Start, handler.Start);
        Work(stores.Length);
        var state = _frame.AtHandler(_frame.State, stores);
        Reach(handler.Start, state);
        Reach(filter.Start, state, isLast: true);
    }

    // Control gets to a label with that knowledge, which nobody uses any more where it is the last.
    Label Reach(int at, FlowState state, bool isLast = false)
    {
        Work(state.Cost);
        ref var label = ref CollectionsMarshal.GetValueRefOrAddDefault(_labels, at, out _);
        label ??= new Label();
        if (label.State is { } known)
        {
            if (!known.Join(state, new MethodFrame.SlotJoin(_frame))) return label;
        }
        else
        {
            label.State = isLast ? state : state.Copy();
            if (_scan.IsLoop(at)) label.State.ForgetChecks();
        }
        if (label.IsChanged) return label;
        label.IsChanged = true;
        _waiting.Enqueue(at, at);
        return label;
    }

    void Work(int amount)
    {
        if ((_work += amount) > WorkMax)
            throw new UnsupportedFeatureException($"{_frame.Shape.Name} takes too long to verify");
    }

    int Step(ReadOnlySpan<byte> code, int at, int area, out bool isEnd)
    {
        var next = CodeScan.EndOf(code, at, out var op, out var operand);
        isEnd = false;
        _work++;
        switch (op)
        {
            case >= ILOpCode.Br and <= ILOpCode.Blt_un:
                Jump(op, next + BinaryPrimitives.ReadInt32LittleEndian(code[operand..]), area, code);
                isEnd = op == ILOpCode.Br;
                break;
            case ILOpCode.Switch:
                _frame.PopInt32();
                for (var i = operand + 4; i < next; i += 4)
                    JumpTo(next + BinaryPrimitives.ReadInt32LittleEndian(code[i..]), area, code);
                break;
            case ILOpCode.Leave:
                Leave(next + BinaryPrimitives.ReadInt32LittleEndian(code[operand..]), area);
                isEnd = true;
                break;
            case ILOpCode.Ret:
                Return(area, isTail: false);
                isEnd = true;
                break;
            case ILOpCode.Throw:
                _frame.PopObject(ReferenceTypes.Null);
                isEnd = true;
                break;
            case ILOpCode.Endfilter:
                EndFilter(area, next);
                isEnd = true;
                break;
            case ILOpCode.Tail:
                TailCall(code, next, area);
                isEnd = true;
                break;
            case ILOpCode.Volatile or ILOpCode.Unaligned:
                CheckPrefix(code, op, next);
                break;
            default: StepPlain(code, op, operand); break;
        }
        return next;
    }

    void StepPlain(ReadOnlySpan<byte> code, ILOpCode op, int operand)
    {
        switch (op)
        {
            case ILOpCode.Call: Call(Token(code, operand), isTail: false); break;
            case ILOpCode.Calli: CallIndirect(Token(code, operand), isTail: false); break;
            case ILOpCode.Newobj:
                var constructor = members[Token(code, operand)];
                if (constructor.Role != MemberRole.NewStruct) throw new Refusal($"an object made by {constructor.Name}");
                ObjectRules.NewStruct(_frame, constructor);
                break;
            case ILOpCode.Ldfld: FieldRules.Load(_frame, members[Token(code, operand)]); break;
            case ILOpCode.Stfld: FieldRules.Store(_frame, members[Token(code, operand)]); break;
            case ILOpCode.Ldsfld:
                var field = members[Token(code, operand)];
                if (field.Role != MemberRole.HiddenNumber) throw new Refusal($"{field.Name} without its object");
                _frame.PushNumber(field.Result);
                break;
            case ILOpCode.Ldobj or ILOpCode.Stobj:
                if (members.TypeOf(Token(code, operand)).Of != (int)Stored.Vector) throw new Refusal($"{op} of no vector");
                if (op == ILOpCode.Ldobj) AccessRules.Load(_frame, op);
                else AccessRules.Store(_frame, op);
                break;
            case ILOpCode.Ldelema: AccessRules.LoadElementAddress(_frame, members.TypeOf(Token(code, operand))); break;
            default: OperandRules.Apply(_frame, code, op, operand); break;
        }
    }

    static int Token(ReadOnlySpan<byte> code, int operand) => BinaryPrimitives.ReadInt32LittleEndian(code[operand..]);

    void Call(int token, bool isTail)
    {
        if (token >> 24 == 0x06)
        {
            var definition = contract.Definition;
            var function = (token & 0xFFFFFF) - 1 + definition.ImportedFunctionCount;
            if (_frame.Shape.Kind != MethodKind.Function || function < definition.ImportedFunctionCount
                || function >= definition.Functions.Length)
            {
                throw new Refusal("a call of a method that is no function");
            }
            CallRules.CallFunction(_frame, definition.Functions[function].Type, isTail, code: null);
            return;
        }
        if (isTail) throw new Refusal("a tail call of the engine");
        CallRules.Call(_frame, members[token]);
    }

    void CallIndirect(int token, bool isTail)
    {
        var pointer = _frame.Pop(Kind.FunctionCode);
        var type = pointer.Of switch
        {
            ReferenceTypes.Self => _frame.Shape.Type,
            _ when ReferenceTypes.IsDefined(pointer.Of) => contract.References.DefinitionOf(pointer.Of).Function,
            ReferenceTypes.Null => tables.AnyTypeOf(token), // never: there is no such function
            _ => null,
        };
        if (type is null || !tables.IsCallOf(token, type))
        {
            contract.Refuse(ProofRule.CallTypes, "a call of a function whose type is not known");
            type = tables.AnyTypeOf(token);
        }
        CallRules.CallFunction(_frame, type, isTail, pointer);
    }

    void TailCall(ReadOnlySpan<byte> code, int at, int area)
    {
        var next = CodeScan.EndOf(code, at, out var op, out var operand);
        if (_scan.IsTarget(at) || next >= code.Length || (ILOpCode)code[next] != ILOpCode.Ret)
            throw new Refusal("a tail call without return");
        if (op == ILOpCode.Call) Call(Token(code, operand), isTail: true);
        else if (op == ILOpCode.Calli) CallIndirect(Token(code, operand), isTail: true);
        else throw new Refusal("a tail call that is none");
        Return(area, isTail: true);
    }

    void Return(int area, bool isTail)
    {
        if (area != Regions.None) contract.Refuse(ProofRule.Regions, "a return from a protected block");
        if (isTail) return;
        var results = _frame.Shape.Type.Results;
        if (_frame.Shape.Kind != MethodKind.GuestEntry && results is [var first, ..]) _frame.PopValue(first);
        if (_frame.Depth != 0) contract.Refuse(ProofRule.EmptyStack, "operands on the stack at the return");
        _frame.CheckResults();
    }

    static ReadOnlySpan<byte> UnalignedPrefix => [(int)ILOpCode.Unaligned >> 8, (int)ILOpCode.Unaligned & 0xFF];

    void CheckPrefix(ReadOnlySpan<byte> code, ILOpCode prefix, int at)
    {
        var isFine = at < code.Length && !_scan.IsTarget(at) && (prefix == ILOpCode.Volatile
            ? (ILOpCode)code[at] is ILOpCode.Ldfld or (>= ILOpCode.Stind_i1 and <= ILOpCode.Stind_r8)
                || code[at..].StartsWith(UnalignedPrefix) // which has its own rule
            : (ILOpCode)code[at] is ILOpCode.Ldobj or ILOpCode.Stobj && code[at - 1] == 1);
        if (!isFine) throw new Refusal($"{prefix} before another instruction");
    }

    void Jump(ILOpCode op, int target, int area, ReadOnlySpan<byte> code)
    {
        var condition = JumpRules.Pop(_frame, op);
        if (_frame.Depth != 0) contract.Refuse(ProofRule.EmptyStack, "operands on the stack at a jump");
        if (_traps.IsTrap(code, target))
        {
            if (!_regions.IsReached(area, target)) contract.Refuse(ProofRule.Regions, "a jump into or out of a protected block");
        }
        else
        {
            var here = _frame.State;
            if (JumpRules.NarrowsTaken(condition))
            {
                _frame.Replace(here.Copy());
                JumpRules.NarrowTaken(_frame, condition);
            }
            JumpTo(target, area, code);
            _frame.Replace(here);
        }
        JumpRules.NarrowOther(_frame, condition);
    }

    void JumpTo(int target, int area, ReadOnlySpan<byte> code)
    {
        if (_frame.Depth != 0) contract.Refuse(ProofRule.EmptyStack, "operands on the stack at a jump");
        if (!_regions.IsReached(area, target)) contract.Refuse(ProofRule.Regions, "a jump into or out of a protected block");
        if (!_traps.IsTrap(code, target)) Reach(target, _frame.State);
    }

    void Leave(int target, int area)
    {
        if (_frame.Depth != 0) contract.Refuse(ProofRule.EmptyStack, "operands on the stack at a jump");
        if (!_regions.IsLeft(area, target)) throw new Refusal("leave without a protected block");
        Reach(target, _frame.State, isLast: true);
    }

    void EndFilter(int area, int next)
    {
        var answer = _frame.Pop(Kind.FilterAnswer);
        if (area == Regions.None || _regions[area].Part != Regions.Part.Filter || next != _regions[area].End
            || _frame.Depth != 0)
        {
            throw new Refusal("the end of a filter elsewhere");
        }
        var (_, _, handler) = _regions.Of(_regions[area].Region);
        if (_thrownBy.TryGetValue(handler.Region, out var known) && known != answer.Of)
            throw new Refusal("a filter that answers in two ways");
        _thrownBy[handler.Region] = answer.Of;
    }

    /// <summary>A place that control gets to from elsewhere.</summary>
    sealed class Label
    {
        /// <summary>What is known there; null where it was taken.</summary>
        public FlowState? State { get; set; }

        /// <summary>Whether the code behind it is still to be gone over.</summary>
        public bool IsChanged { get; set; }
    }
}
