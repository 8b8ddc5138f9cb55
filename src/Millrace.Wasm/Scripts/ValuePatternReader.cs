using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Text;
using Millrace.Wasm.Text.Modules;

namespace Millrace.Wasm.Scripts;

/// <summary>Reads arguments and expected results.</summary>
sealed class ValuePatternReader
{
    static readonly (string Word, HeapKind Heap)[] Kinds =
    [
        ("ref.func", HeapKind.Func),
        ("ref.extern", HeapKind.Extern),
        ("ref.any", HeapKind.Any),
        ("ref.eq", HeapKind.Eq),
        ("ref.i31", HeapKind.I31),
        ("ref.struct", HeapKind.Struct),
        ("ref.array", HeapKind.Array),
        ("ref.exn", HeapKind.Exn),
    ];

    static readonly (string Word, HeapKind Heap)[] Nulls =
        [.. Enum.GetValues<HeapKind>().Where(static heap => heap != HeapKind.Defined)
            .Select(static heap => (heap.ToString().ToLowerInvariant(), heap))];

    readonly BinaryOutput _vector = new();

    public ScriptValue ReadArgument(Cursor cursor)
    {
        var value = ReadArgumentBody(cursor);
        cursor.Close();
        return value;
    }

    ScriptValue ReadArgumentBody(Cursor cursor)
    {
        if (cursor.TryOpen("i32.const")) return Number(ValueType.I32, (ulong)ConstantReader.ReadInteger(cursor, 32));
        if (cursor.TryOpen("i64.const")) return Number(ValueType.I64, (ulong)ConstantReader.ReadInteger(cursor, 64));
        if (cursor.TryOpen("f32.const")) return Number(ValueType.F32, ConstantReader.ReadFloat32(cursor));
        if (cursor.TryOpen("f64.const")) return Number(ValueType.F64, ConstantReader.ReadFloat64(cursor));
        if (cursor.TryOpen("v128.const"))
        {
            _vector.Clear();
            ConstantReader.ReadVector(cursor, _vector);
            return new(ValueType.V128, Vector128.Create(_vector.Span), null);
        }

        if (cursor.TryOpen("ref.null"))
        {
            cursor.Skip();
            return new(ValueType.ExternRef, default, null);
        }

        if (cursor.TryOpen("ref.host"))
            return new(ValueType.Reference(HeapKind.Any, true), default, new(cursor.Natural32()));
        cursor.Open("ref.extern");
        return new(ValueType.ExternRef, default, new(cursor.Natural32()));
    }

    static ScriptValue Number(ValueType type, ulong bits) =>
        new(type, Vector128.CreateScalar(bits).AsByte(), null);

    public ResultPattern ReadPattern(Cursor cursor)
    {
        var pattern = ReadPatternBody(cursor);
        cursor.Close();
        return pattern;
    }

    ResultPattern ReadPatternBody(Cursor cursor)
    {
        if (cursor.TryOpen("i32.const")) return Number(cursor, ValueType.I32, 32, isFloat: false);
        if (cursor.TryOpen("i64.const")) return Number(cursor, ValueType.I64, 64, isFloat: false);
        if (cursor.TryOpen("f32.const")) return Number(cursor, ValueType.F32, 32, isFloat: true);
        if (cursor.TryOpen("f64.const")) return Number(cursor, ValueType.F64, 64, isFloat: true);
        if (cursor.TryOpen("v128.const")) return ReadVector(cursor);
        if (cursor.TryOpen("ref.null"))
        {
            if (cursor.Kind == TokenKind.Close) return new NullPattern(null);
            foreach (var (word, heap) in Nulls)
                if (cursor.TryKeyword(word)) return new NullPattern(heap);
            cursor.Skip(); // a type of some module
            return new NullPattern(null);
        }

        if (cursor.TryOpen("either"))
        {
            var choices = ImmutableArray.CreateBuilder<ResultPattern>();
            while (cursor.Kind == TokenKind.Open) choices.Add(ReadPattern(cursor));
            return new EitherPattern(choices.DrainToImmutable());
        }

        return ReadReference(cursor);
    }

    static ResultPattern ReadReference(Cursor cursor)
    {
        if (cursor.TryOpen("ref.host")) return new HostPattern(new(cursor.Natural32()));
        foreach (var (word, heap) in Kinds)
        {
            if (!cursor.TryOpen(word)) continue;
            if (cursor.Kind == TokenKind.Close) return new KindPattern(heap);
            var number = cursor.Natural32();
            return heap == HeapKind.Extern ? new HostPattern(new(number)) : new KindPattern(heap);
        }

        cursor.Position++;
        throw cursor.Unexpected();
    }

    static NumberPattern Number(Cursor cursor, ValueType type, int width, bool isFloat) =>
        new(type, ReadLane(cursor, width, isFloat));

    static LanePattern ReadLane(Cursor cursor, int width, bool isFloat)
    {
        if (isFloat && cursor.TryKeyword("nan:canonical")) return new(0, width, NanPattern.Canonical);
        if (isFloat && cursor.TryKeyword("nan:arithmetic")) return new(0, width, NanPattern.Arithmetic);
        var bits = (isFloat, width) switch
        {
            (true, 32) => ConstantReader.ReadFloat32(cursor),
            (true, _) => ConstantReader.ReadFloat64(cursor),
            _ => (ulong)ConstantReader.ReadInteger(cursor, width) & (ulong.MaxValue >> (64 - width)),
        };
        return new(bits, width, NanPattern.Exact);
    }

    static VectorPattern ReadVector(Cursor cursor)
    {
        var shape = cursor.Kind == TokenKind.Keyword ? cursor.Span : [];
        var count = ConstantReader.LanesOf(shape);
        if (count == 0) throw cursor.Unexpected();
        var isFloat = shape[0] == 'f';
        cursor.Position++;
        var lanes = ImmutableArray.CreateBuilder<LanePattern>(count);
        for (var lane = 0; lane < count; lane++) lanes.Add(ReadLane(cursor, 128 / count, isFloat));
        return new(lanes.DrainToImmutable());
    }
}
