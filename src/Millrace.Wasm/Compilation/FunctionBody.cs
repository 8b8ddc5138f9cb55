using System.Reflection.Metadata;
using Millrace.Wasm.Ahead;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>The method being written: its locals, its memory registers and its traps.</summary>
sealed class FunctionBody(ModuleScope module)
{
    // RyuJIT's time grows with the cube of the depth: 1,000 take it five seconds, 2,000 forty.
    const int RegionDepthMax = 256;

    readonly List<ValueType> _localTypes = [];
    // Of the function, and of each region around. By code, and by site where that is told.
    readonly Stack<SortedDictionary<(TrapCode Code, int Site), IlLabel>> _traps = [];
    readonly Stack<int> _regionStarts = [];
    readonly List<Action> _outlying = [];
    readonly List<MemoryRegisters> _memories = [];
    IlLabel? _return;
    int _returned;
    readonly Dictionary<Type, int> _scratch = [];
    int _elements;

    public ModuleScope Module { get; } = module;
    public IlWriter Il { get; } = new() { Without = module.Options.Without };
    public LocalPool Pool { get; } = new() { IsBounded = !module.Lacks(SafetyCheck.Locals) };
    public FunctionDefinition Function { get; private set; } = null!;

    /// <summary>Offset in the module of the instruction that is being compiled.</summary>
    public int Site { get; set; }

    /// <summary>Starts a method: checks the stack, loads the memory registers, zeroes the locals.</summary>
    public void Begin(FunctionDefinition function)
    {
        Function = function;
        Site = function.Body.Start;
        Il.Reset();
        Pool.Reset();
        _traps.Clear();
        _traps.Push([]);
        _regionStarts.Clear();
        _outlying.Clear();
        _return = null;
        _scratch.Clear();
        _elements = -1;
        DeclareLocals();
        // A leaf runs in the room that its caller's check left: without an address-taken local the JIT can inline it.
        if (function.Facts!.HasCalls) CheckStack();
        DeclareMemories();
        ZeroLocals();
    }

    /// <summary>Writes the traps and hands the method over.</summary>
    public void End()
    {
        if (_return is not null) WriteReturn(_return);
        foreach (var write in _outlying) write();
        WriteTraps();
        Module.Image.AddMethod(
            CompiledModule.MethodName(Function.Index), Module.Image.Signature(Function.Type, typeof(Instance)), Il,
            Pool.Types, canBeInlined: !Function.Facts!.HasRotations);
    }

    public ValueType LocalType(int local) => _localTypes[local];

    public void LoadWasmLocal(int local)
    {
        var parameters = Function.Type.Parameters.Length;
        if (local < parameters) Il.LoadArgument(local);
        else Il.LoadLocal(local - parameters);
    }

    public void StoreWasmLocal(int local)
    {
        var parameters = Function.Type.Parameters.Length;
        if (local < parameters) Il.StoreArgument(local);
        else Il.StoreLocal(local - parameters);
    }

    public void LoadContext() => Il.LoadArgument(Function.Type.Parameters.Length);

    /// <summary>A type's number in the engine.</summary>
    public void LoadNumber(int typeIndex)
    {
        if (Module.Cells is not { } cells) Il.Constant(Module.Types.IdOf(typeIndex));
        else LoadLinked(cells.CellOf(new(typeIndex, LinkedKind.Id)), CilType.I32);
    }

    /// <summary>A number from a cell behind those of globals.</summary>
    public void LoadLinked(int cell, CilType type)
    {
        LoadContext();
        Il.LoadField(Module.Image.Field(GuestMembers.Cells));
        if (cell != 0)
        {
            Il.Constant(cell * Store.CellBytes);
            Il.Op(ILOpCode.Conv_i);
            Il.Op(ILOpCode.Add);
        }
        type.LoadIndirect(Il, Module.Image);
    }

    /// <summary>Where the second and later results go.</summary>
    public void LoadResultAddress(int result) => Il.LoadArgument(Function.Type.Parameters.Length + result);

    /// <summary>The place that traps with that code; its code comes behind the function's own.</summary>
    public IlLabel Trap(TrapCode code)
    {
        var traps = _traps.Peek();
        var place = (code, Module.TellsSites ? Site - Module.Definition.CodeSection.Start : Traps.NoSite);
        if (!traps.TryGetValue(place, out var label)) traps[place] = label = new IlLabel();
        return label;
    }

    /// <summary>Protected blocks around this place: jumps out of them, returns and tail calls must leave.</summary>
    public int RegionDepth => _traps.Count - 1;

    /// <summary>From here on code is within a protected block, which no conditional jump may leave.</summary>
    // RyuJIT crashes, and the process with it, where a jump that changes nothing leads to two protected blocks that
    // begin at the same place (seen in 10.0.12; tests: ExceptionTests). The inner one begins behind a read then, which
    // the JIT may not leave out.
    public IlLabel EnterRegion()
    {
        if (RegionDepth == RegionDepthMax && !Module.Lacks(SafetyCheck.TryDepth))
            throw new UnsupportedFeatureException($"try_table blocks are nested deeper than {RegionDepthMax}");
        if (_regionStarts.TryPeek(out var around) && around == Il.Length)
        {
            LoadContext();
            Il.LoadField(Module.Image.Field(GuestMembers.InterruptRequest), isVolatile: true);
            Il.Op(ILOpCode.Pop);
        }
        _traps.Push([]);
        _regionStarts.Push(Il.Length);
        return Il.Here();
    }

    /// <summary>Writes the traps of the protected block, whose end this is.</summary>
    public void LeaveRegion()
    {
        WriteTraps();
        _traps.Pop();
        _regionStarts.Pop();
    }

    /// <summary>Returns from within a protected block or handler; the first result, if any, is on the stack.</summary>
    public void LeaveToReturn()
    {
        var type = CilTypes.Returned(Function.Type);
        if (_return is null && type != CilType.Void) _returned = Pool.Declare(type.ToClr());
        if (type != CilType.Void) Il.StoreLocal(_returned);
        Il.Jump(ILOpCode.Leave, _return ??= new IlLabel());
        Il.EndOfPath();
    }

    /// <summary>Leaves all protected blocks for code that is written behind the function's own.</summary>
    public void LeaveFor(Action write)
    {
        var place = new IlLabel();
        Il.Jump(ILOpCode.Leave, place);
        Il.EndOfPath();
        _outlying.Add(() =>
        {
            Il.Mark(place);
            write();
        });
    }

    /// <summary>A memory that the function uses.</summary>
    public MemoryRegisters Memory(int index)
    {
        // Nearly always the first; the list is in the order of the indexes.
        if (_memories[0].Index == index) return _memories[0];
        var (low, high) = (1, _memories.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_memories[middle].Index < index) low = middle + 1;
            else high = middle;
        }
        return _memories[low];
    }

    /// <summary>Behind whatever may have grown memory.</summary>
    public void ReloadMemories()
    {
        if (!Module.Has(CompilerFault.KeepsLengthOverCalls)) LoadMemories();
    }

    void LoadMemories()
    {
        foreach (var memory in _memories)
        {
            if (memory.IsGuarded) continue;
            LoadMemory(memory.Index);
            Il.LoadField(Module.Image.Field(GuestMembers.Length));
            Il.StoreLocal(memory.Length);
            if (Module.IsPortable) LoadMemoryBase(memory);
        }
    }

    /// <summary>Where another thread may have grown memory, and this one may have learnt of it.</summary>
    public void ReloadSharedMemories()
    {
        foreach (var memory in _memories)
        {
            if (!memory.Limits.IsShared || memory.IsGuarded) continue;
            LoadSharedLength(memory);
            Il.StoreLocal(memory.Length);
        }
    }

    /// <summary>A memory's length for a check.</summary>
    public void LoadLength(MemoryRegisters memory)
    {
        if (!memory.IsGuarded)
        {
            Il.LoadLocal(memory.Length);
            return;
        }
        LoadMemory(memory.Index);
        Il.LoadField(Module.Image.Field(GuestMembers.Length), isVolatile: memory.Limits.IsShared);
    }

    /// <summary>Volatile, or the JIT would load once and loop for ever.</summary>
    void LoadSharedLength(MemoryRegisters memory)
    {
        LoadMemory(memory.Index);
        Il.LoadField(Module.Image.Field(GuestMembers.Length), isVolatile: true);
    }

    /// <summary>At a loop's head. Volatile, or the JIT would load once and loop for ever.</summary>
    public void CheckInterrupt()
    {
        if (Module.Lacks(SafetyCheck.LoopInterrupts)) return;
        LoadContext();
        Il.LoadField(Module.Image.Field(GuestMembers.InterruptRequest), isVolatile: true);
        Il.Jump(ILOpCode.Brtrue, Trap(TrapCode.Interrupted));
    }

    /// <summary>A CIL local of that type, for use within one instruction.</summary>
    public int Scratch(Type type)
    {
        if (!_scratch.TryGetValue(type, out var local)) _scratch[type] = local = Pool.Declare(type);
        return local;
    }

    /// <summary>A CIL local for the elements of a table that is called through.</summary>
    public int TableElements() => _elements >= 0 ? _elements : _elements = Pool.Declare(typeof(object[]));

    void DeclareLocals()
    {
        _localTypes.Clear();
        foreach (var parameter in Function.Type.Parameters) _localTypes.Add(parameter);
        foreach (var run in Function.Locals)
        {
            var type = CilTypes.Of(run.Type).ToClr();
            for (var i = 0; i < run.Count; i++)
            {
                _localTypes.Add(run.Type);
                Pool.Declare(type);
            }
        }
    }

    // One compare for two reasons: an interrupt raises the limit above every address. Volatile, because the JIT makes a
    // loop of a function that tail-calls itself, and would load once.
    void CheckStack()
    {
        if (Module.Lacks(SafetyCheck.StackLimit)) return;
        Il.LoadLocalAddress(Pool.Declare(typeof(int)));
        Il.Op(ILOpCode.Conv_u);
        LoadContext();
        Il.LoadField(Module.Image.Field(GuestMembers.StackLimit), isVolatile: Function.Facts!.HasTailCalls);
        Il.Jump(ILOpCode.Blt_un, Trap(TrapCode.CallStackExhausted));
    }

    void DeclareMemories()
    {
        _memories.Clear();
        if (Function.Facts!.UsesMemory) DeclareMemory(0);
        foreach (var index in Function.Facts.FurtherMemories ?? []) DeclareMemory(index);
        LoadMemories();
        if (Module.IsPortable) return;
        foreach (var memory in _memories) LoadMemoryBase(memory);
    }

    void DeclareMemory(int index)
    {
        var limits = Module.Definition.Memories[index].Limits;
        var first = Pool.Declare(typeof(byte*));
        var length = Module.IsGuarded(limits) ? -1 : Pool.Declare(typeof(long));
        _memories.Add(new MemoryRegisters(_memories.Count, index, limits, first, length));
    }

    // The base of memory 0 stands in the instance itself, where it never moves.
    void LoadMemoryBase(MemoryRegisters memory)
    {
        if (memory.Index == 0 && !Module.IsPortable)
        {
            LoadContext();
            Il.LoadField(Module.Image.Field(GuestMembers.MemoryBase));
        }
        else
        {
            LoadMemory(memory.Index);
            Il.LoadField(Module.Image.Field(GuestMembers.Base));
        }
        Il.StoreLocal(memory.Base);
    }

    void LoadMemory(int index)
    {
        LoadContext();
        if (index == 0)
        {
            Il.LoadField(Module.Image.Field(GuestMembers.Memory0));
            return;
        }
        Il.LoadField(Module.Image.Field(GuestMembers.Memories));
        Il.Constant(index);
        Il.Op(ILOpCode.Ldelem_ref);
    }

    void ZeroLocals()
    {
        for (var i = Function.Type.Parameters.Length; i < _localTypes.Count; i++)
        {
            switch (CilTypes.Of(_localTypes[i]))
            {
                case CilType.I32: Il.Constant(0); break;
                case CilType.I64: Il.Constant(0L); break;
                case CilType.F32: Il.LoadStaticField(Module.Image.Field(GuestMembers.F32Zero)); break;
                case CilType.F64: Il.LoadStaticField(Module.Image.Field(GuestMembers.F64Zero)); break;
                case CilType.V128: Il.LoadStaticField(Module.Image.Field(VectorConstants.UnknownZero)); break;
                default: Il.Op(ILOpCode.Ldnull); break;
            }
            StoreWasmLocal(i);
        }
    }

    void WriteReturn(IlLabel place)
    {
        Il.Mark(place);
        if (!Function.Type.Results.IsEmpty) Il.LoadLocal(_returned);
        Il.Op(ILOpCode.Ret);
        Il.EndOfPath();
    }

    void WriteTraps()
    {
        foreach (var ((code, site), label) in _traps.Peek()) WriteTrap(code, site, label);
    }

    void WriteTrap(TrapCode code, int site, IlLabel label)
    {
        Il.Mark(label);
        if (code == TrapCode.CallStackExhausted)
        {
            LoadContext();
            Il.Call(Module.Image.Method(GuestMembers.TrapAtStackLimit), 1, 0);
        }
        else if (site == Traps.NoSite)
        {
            Il.Constant((int)code);
            Il.Call(Module.Image.Method(GuestMembers.Trap), 1, 0);
        }
        else
        {
            Il.Constant((int)code);
            Il.Constant(site);
            Il.Call(Module.Image.Method(GuestMembers.TrapAtSite), 2, 0);
        }
        Il.Op(ILOpCode.Ldnull);
        Il.Op(ILOpCode.Throw);
    }
}
