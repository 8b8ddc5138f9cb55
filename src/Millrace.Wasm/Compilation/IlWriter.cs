using System.Buffers.Binary;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>A place to jump to. <see cref="Position"/> is −1 until it is marked.</summary>
sealed class IlLabel
{
    public int Position = -1;
}

/// <summary>A protected block, its filter and its handler; they follow each other.</summary>
readonly record struct IlRegion(IlLabel Start, IlLabel Filter, IlLabel Handler, IlLabel End);

/// <summary>
/// Writes one method's instructions as bytes: tracks the depth of the stack (RyuJIT refuses to inline a method whose
/// maxstack is larger than 16, so it must be exact) and fixes up forward jumps. Jumps are always in the long form.
/// </summary>
sealed class IlWriter
{
    /// <summary>
    /// Most bytes of a method. RyuJIT takes about 150 bytes of memory and 3 µs for each, and cannot be interrupted.
    /// </summary>
    public const int LengthMax = 4 << 20;

    readonly List<(int At, int From, IlLabel Target)> _jumps = [];
    readonly List<IlRegion> _regions = [];
    byte[] _code = new byte[256];
    int _length;
    int _storeAt = -1; // where the instruction just written starts, when it is a store to a local
    int _stored;
    int _callAt = -1; // where the instruction just written starts, when it is a call
    int _called;

    /// <summary>Most protected blocks of a method: RyuJIT's time grows with their square.</summary>
    public const int RegionsMax = 4096;

    /// <summary>A check that is left out.</summary>
    public SafetyCheck Without { get; init; }

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    /// <summary>Values on the stack here.</summary>
    public int Depth { get; private set; }

    /// <summary>Most values that were on the stack.</summary>
    public int MaxStack { get; private set; }

    /// <summary>Protected blocks, inner ones first.</summary>
    public IReadOnlyList<IlRegion> Regions => _regions;

    public void Reset()
    {
        (_length, _storeAt, _callAt, Depth, MaxStack) = (0, -1, -1, 0, 0);
        _regions.Clear();
    }

    /// <summary>An instruction without operand.</summary>
    public void Op(ILOpCode code)
    {
        Code(code);
        Adjust(Effect(code));
    }

    public void Call(int token, int pops, int pushes)
    {
        var at = _length;
        Code(ILOpCode.Call);
        Token(token);
        Adjust(pushes - pops);
        (_callAt, _called) = (at, token);
    }

    /// <summary>Where the last instruction called that method of one operand: removes it.</summary>
    public bool TryTakeBackCall(int token)
    {
        if (_callAt < 0 || _called != token) return false;
        _length = _callAt;
        _callAt = -1;
        return true;
    }

    /// <summary>Loads a value type through an address that has any alignment.</summary>
    public void LoadObject(int typeToken)
    {
        Unaligned();
        Code(ILOpCode.Ldobj);
        Token(typeToken);
    }

    /// <summary>Stores a value type through an address that has any alignment.</summary>
    public void StoreObject(int typeToken, bool isVolatile = false)
    {
        if (isVolatile) Code(ILOpCode.Volatile);
        Unaligned();
        Code(ILOpCode.Stobj);
        Token(typeToken);
        Adjust(-2);
    }

    public void StoreIndirect(ILOpCode code, bool isVolatile)
    {
        if (isVolatile) Code(ILOpCode.Volatile);
        Op(code);
    }

    void Unaligned()
    {
        Code(ILOpCode.Unaligned);
        Byte(1);
    }

    /// <summary>Makes the call that comes next, and before a <c>ret</c>, give up this method's frame.</summary>
    public void Tail() => Code(ILOpCode.Tail);

    /// <summary>Makes an object; its constructor takes what it pops.</summary>
    public void NewObject(int constructorToken, int pops)
    {
        Code(ILOpCode.Newobj);
        Token(constructorToken);
        Adjust(1 - pops);
    }

    /// <summary>The address of an array's element of a value type.</summary>
    public void LoadElementAddress(int typeToken)
    {
        Code(ILOpCode.Ldelema);
        Token(typeToken);
        Adjust(-1);
    }

    /// <summary>Calls through a code pointer, which is counted in <paramref name="pops"/>.</summary>
    public void CallIndirect(int signatureToken, int pops, int pushes)
    {
        Code(ILOpCode.Calli);
        Token(signatureToken);
        Adjust(pushes - pops);
    }

    public void LoadField(int token, bool isVolatile = false)
    {
        if (isVolatile) Code(ILOpCode.Volatile);
        Code(ILOpCode.Ldfld);
        Token(token);
    }

    public void StoreField(int token)
    {
        Code(ILOpCode.Stfld);
        Token(token);
        Adjust(-2);
    }

    public void LoadStaticField(int token)
    {
        Code(ILOpCode.Ldsfld);
        Token(token);
        Adjust(1);
    }

    public void LoadLocal(int index) => Indexed(ILOpCode.Ldloc_0, ILOpCode.Ldloc_s, ILOpCode.Ldloc, index, 1);

    public void StoreLocal(int index)
    {
        var at = _length;
        Indexed(ILOpCode.Stloc_0, ILOpCode.Stloc_s, ILOpCode.Stloc, index, -1);
        (_storeAt, _stored) = (at, index);
    }

    /// <summary>Where the last instruction stored that local: removes it, so that the value is on the stack.</summary>
    public bool TryTakeBackStore(int index)
    {
        if (_storeAt < 0 || _stored != index) return false;
        _length = _storeAt;
        _storeAt = -1;
        Depth++;
        return true;
    }

    public void LoadArgument(int index) => Indexed(ILOpCode.Ldarg_0, ILOpCode.Ldarg_s, ILOpCode.Ldarg, index, 1);

    public void StoreArgument(int index) => Indexed(default, ILOpCode.Starg_s, ILOpCode.Starg, index, -1);

    public void LoadLocalAddress(int index) => Indexed(default, ILOpCode.Ldloca_s, ILOpCode.Ldloca, index, 1);

    public void Constant(int value)
    {
        if (value is >= -1 and <= 8)
        {
            Code((ILOpCode)((int)ILOpCode.Ldc_i4_0 + value));
        }
        else if (value is >= sbyte.MinValue and <= sbyte.MaxValue)
        {
            Code(ILOpCode.Ldc_i4_s);
            Byte((byte)value);
        }
        else
        {
            Code(ILOpCode.Ldc_i4);
            Token(value);
        }
        Adjust(1);
    }

    /// <summary>A constant that is not known yet, and where it stands for <see cref="Patch"/>.</summary>
    public int PatchedConstant()
    {
        Code(ILOpCode.Ldc_i4);
        Token(0);
        Adjust(1);
        return _length - 4;
    }

    /// <summary>Sets a <see cref="PatchedConstant"/>.</summary>
    public void Patch(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(_code.AsSpan(at), value);

    public void Constant(long value)
    {
        if (value == (int)value)
        {
            Constant((int)value);
            Op(ILOpCode.Conv_i8);
            return;
        }
        Code(ILOpCode.Ldc_i8);
        Long(value);
        Adjust(1);
    }

    public void Constant(float value)
    {
        Code(ILOpCode.Ldc_r4);
        Token(BitConverter.SingleToInt32Bits(value));
        Adjust(1);
    }

    public void Constant(double value)
    {
        Code(ILOpCode.Ldc_r8);
        Long(BitConverter.DoubleToInt64Bits(value));
        Adjust(1);
    }

    /// <summary>A jump; nothing but its operands may be on the stack.</summary>
    public void Jump(ILOpCode code, IlLabel target)
    {
        Code(code);
        _jumps.Add((_length, _length + 4, target));
        Token(0);
        Adjust(Effect(code));
    }

    public void Switch(ReadOnlySpan<IlLabel> targets)
    {
        Code(ILOpCode.Switch);
        Token(targets.Length);
        var behind = _length + 4 * targets.Length;
        foreach (var target in targets)
        {
            _jumps.Add((_length, behind, target));
            Token(0);
        }
        Adjust(-1);
    }

    public void Mark(IlLabel label)
    {
        label.Position = _length;
        _storeAt = _callAt = -1;
    }

    /// <summary>Marks a place, and answers it.</summary>
    public IlLabel Here()
    {
        var label = new IlLabel();
        Mark(label);
        return label;
    }

    /// <summary>The start of a filter or handler: the exception is on the stack.</summary>
    public IlLabel HereWithException()
    {
        Depth = 0;
        Adjust(1);
        return Here();
    }

    /// <summary>Adds a protected block whose handler ends here, after those within it.</summary>
    public void AddRegion(IlLabel start, IlLabel filter, IlLabel handler)
    {
        if (_regions.Count == RegionsMax && Without != SafetyCheck.TryBlocks)
            throw new UnsupportedFeatureException($"a function has more than {RegionsMax} try_table blocks");
        _regions.Add(new(start, filter, handler, Here()));
    }

    /// <summary>Behind a jump, return or throw: nothing is on the stack.</summary>
    public void EndOfPath() => Depth = 0;

    /// <summary>The finished code.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        foreach (var (at, from, target) in _jumps)
            BinaryPrimitives.WriteInt32LittleEndian(_code.AsSpan(at), target.Position - from);
        _jumps.Clear();
        return _code.AsSpan(0, _length);
    }

    void Indexed(ILOpCode first, ILOpCode small, ILOpCode large, int index, int effect)
    {
        if (index < 4 && first != default)
        {
            Code((ILOpCode)((int)first + index));
        }
        else if (index < 256)
        {
            Code(small);
            Byte((byte)index);
        }
        else
        {
            Code(large);
            Byte((byte)index);
            Byte((byte)(index >> 8));
        }
        Adjust(effect);
    }

    void Code(ILOpCode code)
    {
        _storeAt = _callAt = -1;
        if ((int)code > 0xFF) Byte(0xFE);
        Byte((byte)code);
    }

    void Byte(byte value)
    {
        if (_length == _code.Length) Enlarge();
        _code[_length++] = value;
    }

    void Token(int value)
    {
        if (_length + 4 > _code.Length) Enlarge();
        BinaryPrimitives.WriteInt32LittleEndian(_code.AsSpan(_length), value);
        _length += 4;
    }

    void Long(long value)
    {
        Token((int)value);
        Token((int)(value >> 32));
    }

    void Enlarge()
    {
        if (_code.Length >= LengthMax && Without != SafetyCheck.CodeSize)
            throw new UnsupportedFeatureException($"a function takes more than {LengthMax} bytes of CIL");
        Array.Resize(ref _code, _code.Length * 2);
    }

    void Adjust(int effect)
    {
        Depth += effect;
        if (Depth > MaxStack) MaxStack = Depth;
    }

    static int Effect(ILOpCode code) => code switch
    {
        ILOpCode.Add or ILOpCode.Sub or ILOpCode.Mul or ILOpCode.Div or ILOpCode.Div_un or ILOpCode.Rem => -1,
        ILOpCode.Rem_un or ILOpCode.And or ILOpCode.Or or ILOpCode.Xor => -1,
        ILOpCode.Shl or ILOpCode.Shr or ILOpCode.Shr_un => -1,
        ILOpCode.Ceq or ILOpCode.Clt or ILOpCode.Clt_un or ILOpCode.Cgt or ILOpCode.Cgt_un => -1,
        ILOpCode.Neg or ILOpCode.Not or ILOpCode.Ret or ILOpCode.Br or ILOpCode.Ldlen or ILOpCode.Nop => 0,
        ILOpCode.Leave => 0,
        >= ILOpCode.Conv_i1 and <= ILOpCode.Conv_u8 => 0,
        ILOpCode.Conv_r_un or ILOpCode.Conv_u or ILOpCode.Conv_i or ILOpCode.Conv_u1 or ILOpCode.Conv_u2 => 0,
        >= ILOpCode.Ldind_i1 and <= ILOpCode.Ldind_ref => 0,
        >= ILOpCode.Stind_ref and <= ILOpCode.Stind_r8 => -2,
        ILOpCode.Stind_i => -2,
        ILOpCode.Ldnull or ILOpCode.Dup => 1,
        >= ILOpCode.Ldc_i4_m1 and <= ILOpCode.Ldc_i4_8 => 1,
        ILOpCode.Pop or ILOpCode.Throw or ILOpCode.Endfilter or ILOpCode.Brtrue or ILOpCode.Brfalse => -1,
        >= ILOpCode.Beq and <= ILOpCode.Blt_un => -2,
        ILOpCode.Ldelem_ref => -1,
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, null),
    };
}
