using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Blocks, branches and returns. Operands of a branch travel in CIL locals (the target's carriers), so that the CIL
/// stack is empty at every label.
/// </summary>
sealed class ControlFlow(
    FunctionBody body, OperandStack stack, MemoryAccess memory, Exceptions exceptions, FuelMeter fuel)
{
    readonly List<Frame> _frames = [];
    int _deadBlocks; // blocks opened in dead code

    IlWriter Il => body.Il;

    public bool IsReachable { get; private set; }

    public void Begin(FunctionType type)
    {
        _frames.Clear();
        _frames.Add(new Frame(Opcode.End, type, 0));
        IsReachable = true;
        _deadBlocks = 0;
    }

    /// <summary>Whether dead code ends with that instruction; counts the blocks within it.</summary>
    public bool LeavesDeadCode(Opcode opcode)
    {
        switch (opcode)
        {
            case Opcode.Block or Opcode.Loop or Opcode.If or Opcode.TryTable:
                _deadBlocks++;
                return false;
            case Opcode.Else: return _deadBlocks == 0;
            case Opcode.End: return _deadBlocks-- == 0;
            default: return false;
        }
    }

    public void Block(FunctionType type)
    {
        stack.SettleAll();
        Open(Opcode.Block, type);
    }

    public void Loop(FunctionType type)
    {
        stack.SettleAll();
        var frame = Open(Opcode.Loop, type);
        Carry(frame, isLast: true);
        foreach (var (parameter, carrier) in type.Parameters.Zip(frame.Carriers!))
            stack.Push(Expression.BlockTemp(parameter, carrier));
        memory.ForgetChecks();
        Il.Mark(frame.Label);
        fuel.EndRegion();
        body.CheckInterrupt();
    }

    public void If(FunctionType type)
    {
        var condition = stack.Pop();
        stack.SettleAll();
        var frame = Open(Opcode.If, type);
        frame.Parameters = KeptParameters(type.Parameters.Length);
        frame.Else = new IlLabel();
        stack.WriteJump(condition, whenTrue: false, frame.Else);
        fuel.EndRegion();
    }

    /// <summary>Within a protected block of CIL; what jumps out of it leaves.</summary>
    public void TryTable(FunctionType type, ReadOnlySpan<CatchClause> clauses)
    {
        stack.SettleAll();
        var frame = Open(Opcode.TryTable, type);
        if (clauses.IsEmpty) return;
        frame.Try = new TryRegion(body.EnterRegion(), Exceptions.Reachable(clauses).ToArray());
    }

    public void Else()
    {
        var frame = _frames[^1];
        if (IsReachable) BranchToEnd(frame);
        StartElse(frame);
    }

    public void End()
    {
        _deadBlocks = 0;
        var frame = _frames[^1];
        if (frame.Else is not null) // an if without else: its parameters are its results
        {
            if (IsReachable) BranchToEnd(frame);
            StartElse(frame);
        }
        if (frame.Try is not null && IsReachable) BranchToEnd(frame);
        _frames.RemoveAt(_frames.Count - 1);
        if (frame.Try is { } region) CloseTry(region);
        if (frame.IsFunction) EndFunction();
        else if (!frame.IsLoop && frame.IsBranchedTo) Join(frame);
    }

    public void Branch(int depth)
    {
        var target = _frames[^(depth + 1)];
        if (target.IsFunction)
        {
            Return();
            return;
        }
        Carry(target, isLast: true);
        Jump(target);
        EndPath();
    }

    public void BranchIf(int depth) => BranchIf(stack.Pop(), depth);

    /// <summary>The reference stays when it is not null.</summary>
    public void BranchOnNull(int depth)
    {
        var reference = stack.PopKept();
        BranchIf(Expression.Of(Operations.IsNull, reference.Borrowed()), depth);
        stack.Push(reference.NonNull());
    }

    /// <summary>The reference goes along when it is not null.</summary>
    public void BranchOnNonNull(int depth)
    {
        var reference = stack.PopKept();
        stack.Push(reference.Borrowed());
        BranchIf(Expression.Of(Operations.IsNotNull, reference.Borrowed()), depth);
        stack.Release(stack.Pop());
        stack.Release(reference);
    }

    public void BranchIf(Expression condition, int depth)
    {
        var target = _frames[^(depth + 1)];
        if (target.LabelTypes.IsEmpty && !target.IsFunction && !MustLeave(target))
        {
            target.IsBranchedTo = true;
            stack.WriteJump(condition, whenTrue: true, target.Label);
        }
        else
        {
            stack.SettleTop(target.LabelTypes.Length);
            var skip = new IlLabel();
            stack.WriteJump(condition, whenTrue: false, skip);
            BranchAndStay(target);
            Il.Mark(skip);
        }
        fuel.EndRegion();
    }

    public void BranchTable(ReadOnlySpan<int> depths)
    {
        var index = stack.Pop();
        stack.SettleTop(_frames[^(depths[^1] + 1)].LabelTypes.Length);
        var stubs = new Dictionary<int, IlLabel>();
        var labels = new IlLabel[depths.Length];
        for (var i = 0; i < labels.Length; i++) labels[i] = DirectLabel(depths[i]) ?? Stub(stubs, depths[i]);
        stack.Write(index);
        Il.Switch(labels.AsSpan(0, labels.Length - 1));
        Il.Jump(ILOpCode.Br, labels[^1]);
        foreach (var (depth, label) in stubs)
        {
            Il.Mark(label);
            BranchAndStay(_frames[^(depth + 1)]);
        }
        EndPath();
    }

    public void Return()
    {
        WriteReturn(isLast: true);
        EndPath();
    }

    public void Trap(TrapCode code)
    {
        Il.Jump(ILOpCode.Br, body.Trap(code));
        EndPath();
    }

    public void Select(ValueType reference = default)
    {
        var condition = stack.Pop();
        var second = stack.Pop();
        var first = stack.Pop();
        if (body.Module.Has(CompilerFault.SwapsSelect)) (first, second) = (second, first);
        stack.Push(Selections.Compute(body, stack, first, second, condition).Known(reference));
    }

    Frame Open(Opcode opcode, FunctionType type)
    {
        var frame = new Frame(opcode, type, stack.Count - type.Parameters.Length) { RegionDepth = body.RegionDepth };
        _frames.Add(frame);
        return frame;
    }

    // The parameters of an if are read by both arms: from temporaries that neither frees.
    Expression[] KeptParameters(int count)
    {
        var kept = new Expression[count];
        for (var i = count - 1; i >= 0; i--)
        {
            var parameter = stack.Pop();
            kept[i] = parameter.Borrowed();
        }
        foreach (var parameter in kept) stack.Push(parameter);
        return kept;
    }

    void StartElse(Frame frame)
    {
        stack.Truncate(frame.Height);
        foreach (var parameter in frame.Parameters) stack.Push(parameter);
        Il.Mark(frame.Else!);
        fuel.EndRegion();
        memory.ForgetChecks();
        frame.Else = null;
        IsReachable = true;
    }

    void BranchToEnd(Frame frame)
    {
        Carry(frame, isLast: true);
        Jump(frame);
        EndPath();
    }

    void EndFunction()
    {
        if (!IsReachable) return;
        WriteReturn(isLast: true);
        EndPath();
    }

    // Where the code behind a block comes together.
    void Join(Frame frame)
    {
        if (IsReachable) Carry(frame, isLast: true);
        Il.Mark(frame.Label);
        fuel.EndRegion();
        memory.ForgetChecks();
        stack.Truncate(frame.Height);
        for (var i = 0; i < frame.Type.Results.Length; i++)
            stack.Push(Expression.Temp(frame.Type.Results[i], frame.Carriers![i]));
        IsReachable = true;
    }

    // All operands are pushed before the first is stored: a carrier may be among them.
    void Carry(Frame target, bool isLast)
    {
        var types = target.LabelTypes;
        var carriers = CarriersOf(target);
        for (var i = types.Length - 1; i >= 0; i--) Write(stack.Peek(i), isLast);
        for (var i = types.Length - 1; i >= 0; i--) Il.StoreLocal(carriers[i]);
        for (var i = 0; isLast && i < types.Length; i++) stack.Pop();
    }

    int[] CarriersOf(Frame target) =>
        target.Carriers ??= [.. target.LabelTypes.Select(type => body.Pool.Take(CilTypes.Of(type)))];

    void BranchAndStay(Frame target)
    {
        if (target.IsFunction)
        {
            WriteReturn(isLast: false);
            return;
        }
        Carry(target, isLast: false);
        Jump(target);
    }

    void WriteReturn(bool isLast)
    {
        var results = body.Function.Type.Results;
        for (var i = 1; i < results.Length; i++)
        {
            body.LoadResultAddress(i);
            Write(stack.Peek(results.Length - 1 - i), isLast);
            CilTypes.Of(results[i]).StoreIndirect(Il, body.Module.Image);
        }
        if (!results.IsEmpty) Write(stack.Peek(results.Length - 1), isLast);
        for (var i = 0; isLast && i < results.Length; i++) stack.Pop();
        if (body.RegionDepth != 0)
        {
            body.LeaveToReturn();
            return;
        }
        Il.Op(ILOpCode.Ret);
        Il.EndOfPath();
    }

    // The block's own code ends; its filter and handler follow. Labels of clauses count from outside the block.
    void CloseTry(TryRegion region)
    {
        body.LeaveRegion();
        var filter = Il.HereWithException();
        exceptions.WriteFilter(region.Clauses);
        var handler = Il.HereWithException();
        var content = exceptions.TakeException();
        foreach (var clause in region.Clauses.AsSpan(..^1))
        {
            var next = new IlLabel();
            exceptions.WriteTest(clause, content, next);
            Catch(clause, content);
            Il.Mark(next);
        }
        Catch(region.Clauses[^1], content); // the filter let nothing else in
        body.Pool.Free(CilType.Object, content);
        Il.AddRegion(region.Start, filter, handler);
    }

    void Catch(CatchClause clause, int content)
    {
        var target = _frames[^(clause.Label + 1)];
        var count = exceptions.ValueCount(clause);
        if (target.IsFunction)
        {
            ReturnCaught(clause, content, count);
        }
        else
        {
            var carriers = CarriersOf(target);
            for (var i = 0; i < count; i++)
            {
                exceptions.WriteValue(clause, content, i);
                Il.StoreLocal(carriers[i]);
            }
            body.ReloadMemories(); // what threw may have grown it before
            target.IsBranchedTo = true;
            Il.Jump(ILOpCode.Leave, target.Label);
            Il.EndOfPath();
        }
    }

    void ReturnCaught(CatchClause clause, int content, int count)
    {
        for (var i = 1; i < count; i++)
        {
            body.LoadResultAddress(i);
            exceptions.WriteValue(clause, content, i);
            CilTypes.Of(body.Function.Type.Results[i]).StoreIndirect(Il, body.Module.Image);
        }
        if (count != 0) exceptions.WriteValue(clause, content, 0);
        body.LeaveToReturn();
    }

    bool MustLeave(Frame target) =>
        target.RegionDepth < body.RegionDepth && !body.Module.Lacks(SafetyCheck.LeavingTry);

    void Write(Expression operand, bool isLast)
    {
        if (isLast) stack.Write(operand);
        else stack.WriteCopy(operand);
    }

    void Jump(Frame target)
    {
        target.IsBranchedTo = true;
        Il.Jump(MustLeave(target) ? ILOpCode.Leave : ILOpCode.Br, target.Label);
    }

    /// <summary>Behind what never goes on: the code that follows cannot be reached.</summary>
    public void EndPath()
    {
        IsReachable = false;
        stack.Truncate(_frames.Count == 0 ? 0 : _frames[^1].Height);
    }

    IlLabel? DirectLabel(int depth)
    {
        var target = _frames[^(depth + 1)];
        if (target.IsFunction || !target.LabelTypes.IsEmpty || MustLeave(target)) return null;
        target.IsBranchedTo = true;
        return target.Label;
    }

    static IlLabel Stub(Dictionary<int, IlLabel> stubs, int depth)
    {
        if (!stubs.TryGetValue(depth, out var label)) stubs[depth] = label = new IlLabel();
        return label;
    }
}
