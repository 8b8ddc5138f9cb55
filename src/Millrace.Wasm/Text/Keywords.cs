using System.Collections.Frozen;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Text;

/// <summary>The words of the text format. A word outside of them is an unknown operator.</summary>
static class Keywords
{
    static readonly FrozenDictionary<string, Instruction>.AlternateLookup<ReadOnlySpan<char>> Instructions =
        ByName().GetAlternateLookup<ReadOnlySpan<char>>();

    static readonly FrozenDictionary<string, HeapKind> Heaps = new Dictionary<string, HeapKind>
    {
        ["func"] = HeapKind.Func,
        ["nofunc"] = HeapKind.NoFunc,
        ["extern"] = HeapKind.Extern,
        ["noextern"] = HeapKind.NoExtern,
        ["any"] = HeapKind.Any,
        ["eq"] = HeapKind.Eq,
        ["i31"] = HeapKind.I31,
        ["struct"] = HeapKind.Struct,
        ["array"] = HeapKind.Array,
        ["none"] = HeapKind.None,
        ["exn"] = HeapKind.Exn,
        ["noexn"] = HeapKind.NoExn,
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<string, HeapKind> References = new Dictionary<string, HeapKind>
    {
        ["funcref"] = HeapKind.Func,
        ["nullfuncref"] = HeapKind.NoFunc,
        ["externref"] = HeapKind.Extern,
        ["nullexternref"] = HeapKind.NoExtern,
        ["anyref"] = HeapKind.Any,
        ["eqref"] = HeapKind.Eq,
        ["i31ref"] = HeapKind.I31,
        ["structref"] = HeapKind.Struct,
        ["arrayref"] = HeapKind.Array,
        ["nullref"] = HeapKind.None,
        ["exnref"] = HeapKind.Exn,
        ["nullexnref"] = HeapKind.NoExn,
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<string, ValueType> Numbers = new Dictionary<string, ValueType>
    {
        ["i32"] = ValueType.I32,
        ["i64"] = ValueType.I64,
        ["f32"] = ValueType.F32,
        ["f64"] = ValueType.F64,
        ["v128"] = ValueType.V128,
    }.ToFrozenDictionary();

    static readonly FrozenSet<string> Others = Set(
        """
        module definition instance binary quote type rec sub final func param result local struct array field mut ref
        null i8 i16 import export table memory global tag start elem data declare offset item shared then catch
        catch_ref catch_all catch_all_ref i8x16 i16x8 i32x4 i64x2 f32x4 f64x2 nan:canonical nan:arithmetic
        register invoke get assert_return assert_trap assert_exhaustion assert_malformed assert_invalid
        assert_unlinkable assert_exception assert_malformed_custom assert_invalid_custom
        ref.extern ref.host ref.any ref.eq ref.struct ref.array ref.i31 ref.exn either
        """);

    public static Instruction? Instruction(ReadOnlySpan<char> word) =>
        Instructions.TryGetValue(word, out var row) ? row : null;

    /// <summary>The heap type of a word such as <c>func</c>.</summary>
    public static bool TryHeap(ReadOnlySpan<char> word, out HeapKind heap) => Try(Heaps, word, out heap);

    /// <summary>The heap type that a word such as <c>funcref</c> is a nullable reference to.</summary>
    public static bool TryReference(ReadOnlySpan<char> word, out HeapKind heap) => Try(References, word, out heap);

    /// <summary>The number or vector type of a word.</summary>
    public static bool TryNumber(ReadOnlySpan<char> word, out ValueType type) => Try(Numbers, word, out type);

    public static bool IsKnown(ReadOnlySpan<char> word) =>
        Instruction(word) is not null || TryHeap(word, out _) || TryReference(word, out _) || TryNumber(word, out _)
        || Others.GetAlternateLookup<ReadOnlySpan<char>>().Contains(word) || IsMemoryArgument(word);

    /// <summary><c>offset=</c> or <c>align=</c> with an unsigned number is a token of its own.</summary>
    public static bool IsMemoryArgument(ReadOnlySpan<char> word)
    {
        var value = word.StartsWith("offset=") ? word[7..] : word.StartsWith("align=") ? word[6..] : [];
        return !value.IsEmpty && NumberText.Classify(value) == TokenKind.Natural;
    }

    static bool Try<T>(FrozenDictionary<string, T> words, ReadOnlySpan<char> word, out T value)
        where T : struct =>
        words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out value);

    static FrozenDictionary<string, Instruction> ByName()
    {
        var rows = new Dictionary<string, Instruction>();
        foreach (var row in Binary.Instructions.All) rows.TryAdd(row.Name, row);
        return rows.ToFrozenDictionary();
    }

    static FrozenSet<string> Set(string words) =>
        words.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet();
}
