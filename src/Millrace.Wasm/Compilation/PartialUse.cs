using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Loads of which the code behind may use only a part, or nothing. The JIT makes them as narrow as that part, or leaves a
/// touch of their first bytes, and then a fault no longer tells that they reached behind the end. They are checked in code.
/// </summary>
/// <remarks>
/// The value is followed through the code behind its load: through operands, locals and results of plain instructions,
/// until one takes it whole. Where that is not seen it counts as partial. docs/design/engine.md tells what is lost still.
/// </remarks>
sealed class PartialUse(ModuleDefinition module)
{
    // Most values are used by the next instruction or two. So many are read for a load, skipped ones too: a function of
    // nested blocks would be read to its end by each.
    const int InstructionsMax = 1024;

    // Operands from before the load that are looked at.
    const int BelowMax = 4;

    // A larger leaf is not inlined: RyuJIT's limit is 100 bytes of CIL.
    const int InlinedBytesMax = 128;

    // Parts of names: of the instructions that take part of their operand.
    static readonly string[] Narrow =
        ["wrap", "extend8_s", "extend16_s", "extend32_s", "_low_", "_lane", "shuffle", "splat", "i32.and", "i64.and"];

    static readonly HashSet<Opcode> Narrowing = Named(Narrow);
    static readonly HashSet<Opcode> Shifts = Named([".shl", ".shr_", ".rot"]);
    static readonly HashSet<Opcode> Comparisons = Named([".eq", ".ne", ".lt_", ".gt_", ".le_", ".ge_"]);

    enum Operand : byte
    {
        Other,
        /// <summary>The loaded value, or what was computed with it.</summary>
        Followed,
        Constant,
        /// <summary>0, 1 or −1, with which some results need no other operand.</summary>
        Trivial,
    }

    readonly List<Operand> _operands = [];
    readonly HashSet<int> _locals = [];
    // Blocks that begin behind the load: how many operands lie below, and how many it takes and leaves.
    readonly Stack<(int Height, FunctionType Type)> _blocks = [];
    FunctionDefinition _function = null!;
    bool _isExtended; // the load fills more bits than it reads
    bool _hasOtherWays; // code was split since
    bool _isWhole;
    int _left; // of the instructions that may be read

    /// <summary>Whether not all of what a load gives may be used.</summary>
    /// <param name="ahead">A copy behind the load, which reads on.</param>
    /// <param name="function">Where it stands.</param>
    /// <param name="stack">Its operands on top.</param>
    public bool Follows(InstructionReader ahead, FunctionDefinition function, OperandStack stack)
    {
        var row = ahead.Row;
        if (row.AccessBytes == 1) return false;
        (_function, _isWhole, _hasOtherWays, _left) = (function, false, false, InstructionsMax);
        _isExtended = row.AccessBytes < (row.Results[0] == ValueType.I64 ? 8 : 4);
        _operands.Clear();
        _locals.Clear();
        _blocks.Clear();
        for (var i = Math.Min(BelowMax, stack.Count - row.Parameters.Length); i > 0; i--)
            _operands.Add(Known(stack.Peek(row.Parameters.Length + i - 1)));
        _operands.Add(Operand.Followed);
        while (Read(ref ahead))
        {
            if (!Step(ref ahead) || _isWhole) break;
            if (_locals.Count == 0 && !_operands.Contains(Operand.Followed)) break;
        }
        return !_isWhole;
    }

    // False where nothing more can be said.
    bool Step(ref InstructionReader at)
    {
        if (at.Row.HasSignature) return Compute(at);
        switch (at.Opcode)
        {
            case Opcode.LocalGet: return Push(_locals.Contains(at.Index) ? Operand.Followed : Operand.Other);
            case Opcode.LocalSet: return Assign(at.Index, Pop());
            case Opcode.LocalTee: return Assign(at.Index, Top(0));
            case Opcode.Drop: return Take(1, 0, isWhole: false);
            case Opcode.Select or Opcode.SelectTyped: return Select();
            case Opcode.GlobalGet or Opcode.MemorySize or Opcode.RefNull or Opcode.RefFunc: return Push(Operand.Other);
            case Opcode.GlobalSet: return Take(1, 0);
            case Opcode.MemoryGrow or Opcode.TableGet: return Take(1, 1);
            case Opcode.MemoryFill or Opcode.MemoryCopy or Opcode.MemoryInit: return Take(3, 0);
            case Opcode.Call or Opcode.ReturnCall: return Call(ref at, module.Functions[at.Index]);
            case Opcode.CallIndirect or Opcode.CallRef or Opcode.ReturnCallIndirect or Opcode.ReturnCallRef:
                return Call(ref at, null);
            default: return Control(ref at);
        }
    }

    bool Control(ref InstructionReader at)
    {
        switch (at.Opcode)
        {
            case Opcode.Block or Opcode.Loop or Opcode.TryTable: return Open(module.TypeOf(at.Block));
            case Opcode.If:
                Take(1, 0, isWhole: Next(at) is not (Opcode.End or Opcode.Else));
                _hasOtherWays = true;
                var type = module.TypeOf(at.Block);
                return !Peek(type.Parameters.Length).Contains(Operand.Followed) && Open(type);
            case Opcode.Else: return Else(ref at);
            case Opcode.End: return End(at);
            case Opcode.BrIf:
                Take(1, 0, isWhole: Next(at) is not Opcode.End);
                _hasOtherWays = true;
                return true;
            case Opcode.BrTable:
                Take(1, 0, isWhole: at.Labels.ContainsAnyExcept(at.Labels[0]));
                return Leave(ref at);
            case Opcode.Br: return Leave(ref at);
            case Opcode.Throw:
                Take(module.TagType(at.Index).Parameters.Length, 0);
                return _hasOtherWays && Leave(ref at);
            case Opcode.Return:
                Return();
                return _hasOtherWays && Leave(ref at);
            case Opcode.Unreachable: return _hasOtherWays && Leave(ref at);
            default: return false;
        }
    }

    bool Compute(in InstructionReader at)
    {
        var row = at.Row;
        if (row.Parameters.IsEmpty) return row.Results.IsEmpty || Push(Constant(at));
        if (row.IsMemoryAccess) return Access(row);
        var operands = Peek(row.Parameters.Length);
        var follows = operands.Contains(Operand.Followed) && !Narrowing.Contains(row.Opcode)
            && !operands.Contains(Operand.Trivial) && operands.IndexOf(Operand.Followed) == operands.LastIndexOf(Operand.Followed)
            && !(Shifts.Contains(row.Opcode) && operands[^1] == Operand.Followed)
            && !(_isExtended && Comparisons.Contains(row.Opcode) && operands.Contains(Operand.Constant));
        Take(row.Parameters.Length, 0, isWhole: false);
        return Push(follows ? Operand.Followed : Operand.Other);
    }

    // An address counts whatever becomes of the access.
    bool Access(Instruction row)
    {
        var isStoredWhole = row.Opcode is Opcode.I32Store or Opcode.I64Store or Opcode.F32Store or Opcode.F64Store or Opcode.V128Store;
        for (var i = row.Parameters.Length - 1; i >= 0; i--) _isWhole |= Pop() == Operand.Followed && (i == 0 || isStoredWhole);
        return row.Results.IsEmpty || Push(Operand.Other);
    }

    // A condition does not count where both others are equal, which the JIT may see.
    bool Select()
    {
        var operands = Peek(3);
        var follows = operands.Contains(Operand.Followed) && operands[^1] == Operand.Other;
        Take(3, 0, isWhole: false);
        return Push(follows ? Operand.Followed : Operand.Other);
    }

    // What is inlined may drop its arguments.
    bool Call(ref InstructionReader at, FunctionDefinition? callee)
    {
        var type = callee?.Type ?? module.Types[at.Index].Function!;
        Take(type.Parameters.Length + (callee is null ? 1 : 0), type.Results.Length, callee is null || !IsInlined(callee));
        return at.Opcode is Opcode.Call or Opcode.CallIndirect or Opcode.CallRef || (_hasOtherWays && Leave(ref at));
    }

    static bool IsInlined(FunctionDefinition function) => function.Import is null && !function.Facts!.HasCalls
        && function.Body.End - function.Body.Start <= InlinedBytesMax;

    bool Assign(int local, Operand value)
    {
        if (value == Operand.Followed) _locals.Add(local);
        else _locals.Remove(local);
        return true;
    }

    void Return() => Take(_function.Type.Results.Length, 0, isWhole: !IsInlined(_function));

    bool Open(FunctionType type)
    {
        _blocks.Push((Math.Max(0, _operands.Count - type.Parameters.Length), type));
        return true;
    }

    bool End(in InstructionReader at)
    {
        if (at.Position == _function.Body.End)
        {
            Return();
            return false;
        }
        _blocks.TryPop(out _);
        return true;
    }

    // The other arm is reached from before the load only where the if began behind it.
    bool Else(ref InstructionReader at)
    {
        if (!_blocks.TryPeek(out var block)) return SkipTo(ref at, isElseWanted: false) && End(at);
        Reset(block.Height, block.Type.Parameters.Length);
        return true;
    }

    // Behind what never goes on: what lies in locals may have got past it.
    bool Leave(ref InstructionReader at)
    {
        Reset(_blocks.TryPeek(out var block) ? block.Height : 0, 0);
        if (_isWhole || !SkipTo(ref at, isElseWanted: true)) return false;
        if (at.Opcode == Opcode.Else) return Else(ref at);
        if (block.Type is not null) Reset(block.Height, block.Type.Results.Length);
        return at.Position != _function.Body.End && End(at);
    }

    bool Read(ref InstructionReader at) => _left-- > 0 && at.Read();

    bool SkipTo(ref InstructionReader at, bool isElseWanted)
    {
        for (var blocks = 0; Read(ref at);)
        {
            if (at.Opcode is Opcode.Block or Opcode.Loop or Opcode.If or Opcode.TryTable) blocks++;
            else if (at.Opcode == Opcode.Else && blocks == 0 && isElseWanted) return true;
            else if (at.Opcode == Opcode.End && blocks-- == 0) return true;
        }
        return false;
    }

    void Reset(int height, int others)
    {
        if (_operands.Count > height) _operands.RemoveRange(height, _operands.Count - height);
        for (var i = 0; i < others; i++) _operands.Add(Operand.Other);
    }

    // As if the block ended where no more may be read: then the value counts as partial.
    Opcode Next(InstructionReader ahead)
    {
        while (Read(ref ahead))
            if (ahead.Opcode != Opcode.Nop) return ahead.Opcode;
        return Opcode.End;
    }

    static Operand Known(Expression operand) => operand.Kind != ExpressionKind.Constant ? Operand.Other
        : operand.Type switch
        {
            CilType.I32 => Constant((int)operand.Bits),
            CilType.I64 => Constant((long)operand.Bits),
            CilType.V128 => Constant(operand.Vector),
            _ => Operand.Constant,
        };

    static Operand Constant(in InstructionReader at) => at.Opcode switch
    {
        Opcode.I32Const => Constant(at.I32),
        Opcode.I64Const => Constant(at.I64),
        Opcode.V128Const => Constant(at.Vector),
        _ => Operand.Constant,
    };

    static Operand Constant(long value) => value is 0 or 1 or -1 ? Operand.Trivial : Operand.Constant;

    static Operand Constant(Vector128<byte> value) =>
        value == default || value == Vector128<byte>.AllBitsSet ? Operand.Trivial : Operand.Constant;

    bool Take(int operands, int results, bool isWhole = true)
    {
        for (var i = 0; i < operands; i++) _isWhole |= Pop() == Operand.Followed && isWhole;
        for (var i = 0; i < results; i++) Push(Operand.Other);
        return true;
    }

    bool Push(Operand operand)
    {
        _operands.Add(operand);
        return true;
    }

    // What lay there before the load is of no interest.
    Operand Pop()
    {
        if (_operands.Count == 0) return Operand.Other;
        var top = Top(0);
        _operands.RemoveAt(_operands.Count - 1);
        return top;
    }

    Operand Top(int below) => below < _operands.Count ? _operands[^(below + 1)] : Operand.Other;

    ReadOnlySpan<Operand> Peek(int count) => CollectionsMarshal.AsSpan(_operands)[^Math.Min(count, _operands.Count)..];

    static HashSet<Opcode> Named(string[] parts) => [.. Instructions.All.ToArray()
        .Where(row => !row.IsMemoryAccess && Array.Exists(parts, part => row.Name.Contains(part, StringComparison.Ordinal)))
        .Select(row => row.Opcode)];
}
