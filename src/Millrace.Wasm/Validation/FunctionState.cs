using System.Collections.Immutable;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>
/// What is known while the instructions of one body are checked: operand types, open blocks, which locals are set
/// (core appendix "Validation Algorithm"). Its buffers serve all bodies of a module.
/// </summary>
sealed class FunctionState(ModuleContext context)
{
    ValueType[] _operands = new ValueType[256];
    ControlFrame[] _frames = new ControlFrame[32];
    int _depth;
    ValueType[] _locals = [];
    int _localCount;
    bool[] _isSet = [];
    int[] _setLocals = [];
    int _setCount;
    FunctionDefinition? _function;
    string _where = "";
    FunctionType _constantType = FunctionTypes.Empty; // of the last constant expression: segments repeat it
    int _offset;
    Instruction? _instruction;
    long _workLeft = context.Without == SafetyCheck.ValidationWork ? long.MaxValue
        : Limits.WorkFree + (Limits.WorkPerByte * (long)context.Module.Bytes.Length);

    /// <summary>The module around the body.</summary>
    public ModuleContext Context { get; } = context;

    /// <summary>Results of the whole body: what <c>return</c> brings.</summary>
    public ImmutableArray<ValueType> Results => _frames[0].Type.Results;

    /// <summary>Operands of all open blocks.</summary>
    public int Height { get; private set; }

    /// <summary>Whether the instructions come from a constant expression.</summary>
    public bool IsConstant { get; private set; }

    /// <summary>Constant expressions: how many globals are visible.</summary>
    public int VisibleGlobals { get; private set; }

    public FunctionFacts Facts { get; private set; } = new();

    /// <summary>Whether a block is open, the body itself included.</summary>
    public bool IsOpen => _depth > 0;

    public ref ControlFrame Top => ref _frames[_depth - 1];

    /// <summary>Starts on a function body.</summary>
    public void BeginFunction(FunctionDefinition function)
    {
        Facts = new FunctionFacts();
        Begin(function.Type);
        IsConstant = false;
        _function = function;
        _localCount = 0;
        foreach (var parameter in function.Type.Parameters) AddLocals(parameter, 1, isSet: true);
        foreach (var run in function.Locals) AddLocals(run.Type, run.Count, run.Type.IsDefaultable());
    }

    /// <summary>Starts on a constant expression that gives one value.</summary>
    public void BeginConstant(ValueType type, int visibleGlobals, string where)
    {
        if (_constantType.Results is not [var last] || last != type) _constantType = FunctionTypes.Giving(type);
        Begin(_constantType);
        IsConstant = true;
        VisibleGlobals = visibleGlobals;
        (_function, _where) = (null, where);
        _localCount = 0;
    }

    void Begin(FunctionType type)
    {
        (Height, _depth, _setCount, _instruction) = (0, 0, 0, null);
        Open(Opcode.Block, type);
        Height = 0; // a body's parameters are locals, not operands
    }

    /// <summary>Counts steps whose number a few bytes of the module can make large.</summary>
    public void Spend(int steps)
    {
        _workLeft -= steps;
        if (_workLeft < 0) throw Invalid("module too costly to validate: long types are used too often for its size");
    }

    void AddLocals(ValueType type, int count, bool isSet)
    {
        Spend(count);
        Context.CheckType(type);
        if (_localCount + count > _locals.Length)
        {
            var size = Math.Max(_localCount + count, _locals.Length * 2);
            Array.Resize(ref _locals, size);
            Array.Resize(ref _isSet, size);
            Array.Resize(ref _setLocals, size);
        }
        _locals.AsSpan(_localCount, count).Fill(type);
        _isSet.AsSpan(_localCount, count).Fill(isSet);
        _localCount += count;
    }

    /// <summary>Tells errors where the checks are.</summary>
    public void At(Instruction instruction, int offset) => (_instruction, _offset) = (instruction, offset);

    public InvalidException Invalid(string reason)
    {
        var where = _function is null ? _where : Context.Describe(_function);
        return new InvalidException(
            reason, _instruction is null ? where : $"{where}, {_instruction.Name} at offset {_offset}");
    }

    // Operands

    public void Push(ValueType type)
    {
        if (Height == _operands.Length) GrowOperands();
        _operands[Height++] = type;
        if (Height > Facts.OperandsMax) Facts.OperandsMax = Height;
    }

    public void Push(ImmutableArray<ValueType> types)
    {
        Spend(types.Length);
        foreach (var type in types) Push(type);
    }

    /// <summary>Takes any operand; <see cref="ValueKind.Bottom"/> out of nothing in unreachable code.</summary>
    public ValueType Pop()
    {
        if (Height > Top.Height) return _operands[--Height];
        return Top.IsUnreachable ? default : throw Mismatch("a value", Height, 1);
    }

    /// <summary>Takes an operand of a type.</summary>
    public ValueType Pop(ValueType expected)
    {
        if (Height > Top.Height)
        {
            var actual = _operands[--Height];
            if (actual == expected || Context.Types.Matches(actual, expected)) return actual;
            throw Mismatch([expected], Height + 1);
        }
        return Top.IsUnreachable ? default : throw Mismatch([expected], Height);
    }

    /// <summary>Takes operands, the last type on top.</summary>
    public void Pop(ImmutableArray<ValueType> expected)
    {
        var before = Height;
        Check(expected);
        Height = Math.Max(before - expected.Length, Top.Height);
    }

    /// <summary>As <see cref="Pop(ImmutableArray{ValueType})"/>, but leaves them.</summary>
    public void Check(ImmutableArray<ValueType> expected)
    {
        Spend(expected.Length);
        ref var top = ref Top;
        for (int i = expected.Length - 1, at = Height - 1; i >= 0; i--, at--)
        {
            if (at < top.Height)
            {
                if (top.IsUnreachable) return;
                throw Mismatch(expected, Height);
            }
            var actual = _operands[at];
            if (actual != expected[i] && !Context.Types.Matches(actual, expected[i])) throw Mismatch(expected, Height);
        }
    }

    /// <summary>Takes a reference of any type.</summary>
    public ValueType PopReference()
    {
        var type = Pop();
        if (type.Kind == ValueKind.Bottom) return HeapTypes.BottomReference;
        return type.Kind == ValueKind.Ref ? type : throw Mismatch("a reference", Height + 1, 1);
    }

    void GrowOperands()
    {
        if (Height >= Limits.OperandStack)
            throw Invalid($"too many operands: the limit is {Limits.OperandStack}");
        Array.Resize(ref _operands, Math.Min(_operands.Length * 2, Limits.OperandStack));
    }

    InvalidException Mismatch(ImmutableArray<ValueType> expected, int height) =>
        Mismatch(Show(expected.AsSpan()), height, expected.Length);

    // In the reference interpreter's words: of the stack as many operands as were wanted.
    InvalidException Mismatch(string expected, int height, int count)
    {
        var have = Math.Min(count, height - Top.Height);
        var stack = Show(_operands.AsSpan(height - have, have));
        return Invalid($"type mismatch: instruction requires {expected} but stack has {stack}");
    }

    /// <summary>Types in brackets; the last ones only where there are many.</summary>
    public static string Show(ReadOnlySpan<ValueType> types) => types.Length <= 32
        ? $"[{string.Join(' ', types.ToArray())}]"
        : $"[… {string.Join(' ', types[^32..].ToArray())}]";

    // Blocks

    public void Open(Opcode opcode, FunctionType type)
    {
        if (_depth == _frames.Length) Array.Resize(ref _frames, _depth * 2);
        _frames[_depth++] = new ControlFrame(opcode, type, Height, _setCount, false);
        if (_depth > Facts.NestingMax) Facts.NestingMax = _depth;
        Push(type.Parameters);
    }

    /// <summary>Closes the innermost block, whose results must be all that is left of it.</summary>
    public ControlFrame Close()
    {
        var frame = Top;
        Pop(frame.Type.Results);
        if (Height != frame.Height)
        {
            var left = Show(_operands.AsSpan(frame.Height, Height - frame.Height));
            throw Invalid(
                $"type mismatch: block requires {Show(frame.Type.Results.AsSpan())} but stack has {left} below it");
        }
        while (_setCount > frame.SetLocalsHeight) _isSet[_setLocals[--_setCount]] = false;
        _depth--;
        return frame;
    }

    /// <summary>The rest of the innermost block cannot be reached.</summary>
    public void SetUnreachable()
    {
        Height = Top.Height;
        Top.IsUnreachable = true;
    }

    /// <summary>What a branch to a label must bring.</summary>
    public ImmutableArray<ValueType> Label(int label) =>
        (uint)label < (uint)_depth
            ? _frames[_depth - 1 - label].LabelTypes
            : throw Invalid($"unknown label {(uint)label}");

    // Locals

    public ValueType Local(int index) =>
        (uint)index < (uint)_localCount ? _locals[index] : throw Invalid($"unknown local {(uint)index}");

    public void CheckIsSet(int local)
    {
        if (!_isSet[local]) throw Invalid($"uninitialized local {local}");
    }

    public void SetLocal(int local)
    {
        if (_isSet[local]) return;
        _isSet[local] = true;
        _setLocals[_setCount++] = local;
    }
}
