using Millrace.Wasm.Binary;

namespace Millrace.Fuzz;

sealed partial class BodyGenerator
{
    // Float instructions on vectors whose NaNs may have any bits; the others of that name move bits or choose.
    static readonly HashSet<string> MakingNaNs =
    [
        "add", "sub", "mul", "div", "sqrt", "ceil", "floor", "trunc", "nearest", "min", "max", "demote_f64x2_zero",
        "promote_low_f32x4",
    ];

    /// <summary>An expression of that type.</summary>
    string Value(char type, int depth)
    {
        if (depth <= 0 || ++_nodes > NodesMax) return Leaf(type);
        if (_hasObjects && choices.OneIn(6) && OfObject(type) is { } told) return told;
        return choices.Below(20) switch
        {
            <= 2 => Leaf(type),
            <= 10 => Compute(choices.Of(NumericTable.Computing(type)), depth),
            <= 12 => Load(type),
            13 => $"({Named("select")} {Value(type, depth - 1)} {Value(type, depth - 1)} {Value('i', depth - 1)})",
            14 => Either(type, depth),
            15 => Broken(type, depth),
            16 => Tee(type, depth),
            17 => Called(type) ?? Leaf(type),
            18 when type == 'i' && choices.OneIn(2) => OfMemory(),
            18 => Overtaken(type),
            _ => Compute(choices.Of(NumericTable.Computing(type)), depth),
        };
    }

    string Leaf(char type)
    {
        if (choices.OneIn(3)) return Constant(type);
        if (choices.OneIn(4))
            return $"({Named("global.get")} ${choices.Of(shape.Globals.Where(global => global.Type == type).ToList()).Name})";
        var fits = _locals.Where(local => local.Type == type).ToList();
        return fits.Count == 0 ? Constant(type) : $"({Named("local.get")} ${choices.Of(fits).Name})";
    }

    string Compute(Instruction row, int depth)
    {
        var name = row.Name;
        var truncates = row.Opcode is >= Opcode.I32TruncF32S and <= Opcode.I32TruncF64U
            or >= Opcode.I64TruncF32S and <= Opcode.I64TruncF64U;
        var isTame = truncates && !_isWild && choices.OneIn(3);
        if (truncates && !_isWild && !isTame) name = name.Replace("trunc_", "trunc_sat_", StringComparison.Ordinal);
        var lanes = row.Immediate switch
        {
            ImmediateKind.Lane => $" {choices.Below(16 >> row.AccessLog2)}",
            ImmediateKind.Shuffle => string.Concat(Enumerable.Range(0, 16).Select(_ => $" {choices.Below(32)}")),
            _ => "",
        };
        var showsBits = name.Contains("reinterpret", StringComparison.Ordinal)
            || name.EndsWith("copysign", StringComparison.Ordinal) || name.EndsWith(".splat", StringComparison.Ordinal)
            || name.EndsWith("replace_lane", StringComparison.Ordinal);
        var operands = row.Parameters.Select(NumericTable.Letter)
            .Select(type => showsBits ? Canonical(type, Value(type, depth - 1)) : Value(type, depth - 1)).ToList();
        var divides = name.Contains(".div_", StringComparison.Ordinal) || name.Contains(".rem_", StringComparison.Ordinal);
        if (divides && !_isWild) operands[1] = Positive(name[..3], operands[1]);
        if (isTame) operands[0] = InRange(NumericTable.Letter(row.Parameters[0]));
        if (NumericTable.IsRelaxed(row)) operands = [.. operands.Select((operand, i) => Sure(row.Name, i, operand))];

        // An effect between two operands: what the first one read, it read before.
        if (operands.Count > 1 && choices.OneIn(8)) operands[0] += $" {Effect()}";
        var text = $"({Named(name)}{lanes} {string.Join(' ', operands)})";
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return name[..dot] is "f32x4" or "f64x2" && MakingNaNs.Contains(name[(dot + 1)..])
            ? $"(call $canon_{name[..dot]} {text})" : text;
    }

    string Effect() => _nodes > NodesMax ? "(nop)" : choices.Below(3) switch
    {
        0 => SetGlobal(1),
        1 => SetLocal(1),
        _ => Store(1),
    };

    // A divisor that is neither 0 nor −1.
    static string Positive(string type, string value) =>
        $"({type}.and ({type}.or {value} ({type}.const 1)) ({type}.const 0x7fffffff))";

    static string Canonical(char type, string value) => type is 'f' or 'd' ? $"(call $canon_{type} {value})" : value;

    // A float that any integer type holds.
    string InRange(char type) => $"({Letters.Name(type)}.add ({Letters.Name(type)}.convert_i32_u (i32.shr_u "
        + $"{Value('i', 2)} (i32.const 2))) ({Letters.Name(type)}.const 0.75))";

    /// <summary>An operand for which a relaxed instruction has one result only.</summary>
    static string Sure(string name, int at, string operand)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var (shape, operation) = (name[..dot], name[(dot + 1)..]["relaxed_".Length..]);
        return operation switch
        {
            "swizzle" => at == 0 ? operand : $"(v128.and {operand} (v128.const i64x2 0x0f0f0f0f0f0f0f0f 0x0f0f0f0f0f0f0f0f))",
            "laneselect" => at < 2 ? operand : $"({shape}.lt_s {operand} (v128.const i64x2 0 0))",
            "q15mulr_s" => $"(v128.and {operand} (v128.const i64x2 0x7fff7fff7fff7fff 0x7fff7fff7fff7fff))",
            "trunc_f32x4_s" or "trunc_f32x4_u" => $"(f32x4.convert_i32x4_u (i32x4.shr_u {operand} (i32.const 9)))",
            "trunc_f64x2_s_zero" or "trunc_f64x2_u_zero" =>
                $"(f64x2.convert_low_i32x4_u (i32x4.shr_u {operand} (i32.const 2)))",
            _ when shape is "f32x4" => $"(f32x4.convert_i32x4_s (i32x4.shr_s {operand} (i32.const 22)))",
            _ when shape is "f64x2" => $"(f64x2.convert_low_i32x4_s (i32x4.shr_s {operand} (i32.const 8)))",
            // The dot products: seven bits in the second operand.
            _ => at != 1 ? operand : $"(v128.and {operand} (v128.const i64x2 0x7f7f7f7f7f7f7f7f 0x7f7f7f7f7f7f7f7f))",
        };
    }

    string Load(char type) => Load(choices.Of(
        type is 'i' or 'l' && choices.OneIn(3) ? NumericTable.LoadingAtomically(type) : NumericTable.Loading(type)));

    string Load(Instruction row)
    {
        if (NumericTable.IsAtomic(row))
        {
            var operands = row.Parameters.Skip(1).Select(parameter => Value(NumericTable.Letter(parameter), 2));
            return $"({Named(row.Name)} {AtomicAccess(row)} {string.Join(' ', operands)})";
        }

        var access = Access(row);
        var vector = row.Immediate == ImmediateKind.MemoryAccessLane ? $" {Value('v', 2)}" : "";
        return $"({Named(row.Name)} {access}{vector})";
    }

    /// <summary>Memory, offset, alignment and lane of an access, and its address.</summary>
    string Access(Instruction row)
    {
        var memory = Memory(out var target);
        var offset = choices.Below(_isWild ? 6 : 3) switch
        {
            0 or 1 => $" offset={choices.Below(64)}",
            2 when _isWild => $" offset={choices.Below(ModuleShape.PageBytes * 2)}",
            3 when choices.OneIn(4) => target.Address == 'l' && choices.OneIn(2)
                ? $" offset={choices.Bits()}" : $" offset={0xffffffff - (uint)choices.Below(20)}",
            _ => "",
        };
        var align = choices.OneIn(3) ? $" align={1 << choices.Below(row.AccessLog2 + 1)}" : "";
        var lane = row.Immediate == ImmediateKind.MemoryAccessLane ? $" {choices.Below(16 >> row.AccessLog2)}" : "";
        return $"{memory}{offset}{align}{lane} {Address(target.Address)}";
    }

    /// <summary>Memory, offset and address of an atomic access: mostly a multiple of its size.</summary>
    string AtomicAccess(Instruction row)
    {
        var memory = Memory(out var target);
        if (_isWild && choices.OneIn(8)) return $"{memory} {Address(target.Address)}";
        var offset = choices.OneIn(3) ? "" : $" offset={row.AccessBytes * choices.Below(40)}";
        return $"{memory}{offset} {AtomicAddress(target.Address)}";
    }

    string AtomicAddress(char type)
    {
        var name = Letters.Name(type);
        return choices.Below(_isWild ? 8 : 4) switch
        {
            0 => $"({name}.const {8 * choices.Below(64)})",
            5 => $"({name}.const {ModuleShape.PageBytes - (8 * choices.Below(3))})",
            _ => $"({name}.and {Value(type, 2)} ({name}.const 0xff8))",
        };
    }

    string Address(char type)
    {
        var name = Letters.Name(type);
        if (!_isWild && choices.OneIn(6)) return $"({name}.const {ModuleShape.PageBytes - 128 + choices.Below(48)})";
        return choices.Below(12) switch
        {
            0 when _isWild => Value(type, 2),
            1 or 2 when _isWild => $"({name}.const {ModuleShape.PageBytes - choices.Below(24)})",
            3 when _isWild => $"({name}.const {(2 * ModuleShape.PageBytes) - choices.Below(24)})",
            4 or 5 => $"({name}.const {choices.Below(256)})",
            _ => $"({name}.and {Value(type, 2)} ({name}.const {(choices.OneIn(3) ? 0xfe7f : 0xff8)}))",
        };
    }

    string Length(char type) => choices.Below(10) switch
    {
        0 when _isWild => Value(type, 1),
        1 when _isWild => $"({Letters.Name(type)}.const {choices.Below(ModuleShape.PageBytes)})",
        _ => $"({Letters.Name(type)}.const {choices.Below(64)})",
    };

    string Either(char type, int depth)
    {
        Named("if");
        var condition = Value('i', depth - 1);
        var (yes, no) = (Region(() => Value(type, depth - 1)), Region(() => Value(type, depth - 1)));
        return $"(if (result {Letters.Name(type)}) {condition} (then {yes}) (else {no}))";
    }

    /// <summary>A block that is left early, with what lay on the stack before it.</summary>
    string Broken(char type, int depth)
    {
        var label = $"b{_names++}";
        Named("block");
        return $"(block ${label} (result {Letters.Name(type)}) (drop ({Named("br_if")} ${label} "
            + $"{Value(type, depth - 1)} {Value('i', depth - 1)})) {Region(() => Value(type, depth - 1))})";
    }

    string Tee(char type, int depth)
    {
        var fits = _locals.Where(local => local.Type == type).ToList();
        return fits.Count == 0 ? Leaf(type) : $"({Named("local.tee")} ${choices.Of(fits).Name} {Value(type, depth - 1)})";
    }

    string? Called(char type)
    {
        var fits = shape.Functions.Skip(function.Index + 1).Where(other => other.Results == type.ToString()).ToList();
        return fits.Count == 0 ? null : Call(choices.Of(fits));
    }

    // Only functions further on are called directly, so that calls end; through the table all, and the counter ends it.
    FunctionShape? Callee()
    {
        var fits = shape.Functions.Skip(function.Index + 1).ToList();
        return fits.Count == 0 ? null : choices.Of(fits);
    }

    string Call(FunctionShape callee)
    {
        var isIndirect = shape.Table.Contains(callee.Index) || _isWild;
        return choices.Below(6) switch
        {
            <= 1 when isIndirect => $"({Named("call_indirect")} $t{callee.Type} {Arguments(callee)} {ElementOf(callee)})",
            2 => $"({Named("call_ref")} $F{callee.Index} {Arguments(callee)} {Reference(callee)})",
            _ => $"({Named("call")} ${callee.Name} {Arguments(callee)})",
        };
    }

    string ElementOf(FunctionShape callee)
    {
        var at = shape.Table.IndexOf(callee.Index);
        return at >= 0 && !_isWild ? $"(i32.const {at + 1})" : Element();
    }

    string Reference(FunctionShape callee) => _isWild && choices.OneIn(4)
        ? $"({Named("ref.cast")} (ref null $F{callee.Index}) ({Named("table.get")} $t {Element()}))"
        : $"({Named("ref.func")} ${callee.Name})";

    string Arguments(FunctionShape callee) => string.Join(' ', callee.Parameters.Select(type => Value(type, 2)));

    /// <summary>Something read, then written, and only then used: with the value that it had.</summary>
    string Overtaken(char type)
    {
        var operation = type switch { 'v' => "v128.xor", 'f' or 'd' => $"{Letters.Name(type)}.sub", _ => $"{Letters.Name(type)}.add" };
        var memory = choices.Of(shape.Memories);
        var place = $"${memory.Name} offset={choices.Below(9)} ({Letters.Name(memory.Address)}.const {choices.Below(99)})";
        var access = type == 'v' ? "v128" : Letters.Name(type);
        var (read, write) = (choices.Below(3), _locals.Find(local => local.Type == type)) switch
        {
            (0, { Name: { } local }) => ($"(local.get ${local})", $"(local.set ${local} {Value(type, 1)})"),
            (1, _) => ($"({access}.load {place})", $"({access}.store {place} {Canonical(type, Value(type, 1))})"),
            _ => OfGlobal(),
        };
        return $"({operation} {read} {write} {Value(type, 1)})";

        (string, string) OfGlobal()
        {
            var global = choices.Of(shape.Globals.Where(global => global.Type == type).ToList()).Name;
            return ($"(global.get ${global})", $"(global.set ${global} {Value(type, 1)})");
        }
    }

    string OfMemory()
    {
        var memory = Memory(out var target);
        var size = $"({Named("memory.size")} {memory})";
        return target.Address == 'l' ? $"(i32.wrap_i64 {size})" : choices.OneIn(2) ? size : $"({Named("table.size")} $t)";
    }
}
