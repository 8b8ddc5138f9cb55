namespace Millrace.Wasm.Text.Modules;

/// <summary>Constants: numbers, vectors and lanes.</summary>
static class ConstantReader
{
    /// <summary>An integer of 8 to 64 bits, sign-extended.</summary>
    public static long ReadInteger(Cursor cursor, int width)
    {
        if (cursor.Kind is not (TokenKind.Natural or TokenKind.Signed)) throw cursor.Unexpected();
        if (!NumberText.TryInteger(cursor.Span, width, out var bits)) throw cursor.Error("constant out of range");
        cursor.Position++;
        return (long)(bits << (64 - width)) >> (64 - width);
    }

    public static uint ReadFloat32(Cursor cursor)
    {
        if (!IsNumber(cursor)) throw cursor.Unexpected();
        if (!NumberText.TryFloat32(cursor.Span, out var bits)) throw cursor.Error("constant out of range");
        cursor.Position++;
        return bits;
    }

    public static ulong ReadFloat64(Cursor cursor)
    {
        if (!IsNumber(cursor)) throw cursor.Unexpected();
        if (!NumberText.TryFloat64(cursor.Span, out var bits)) throw cursor.Error("constant out of range");
        cursor.Position++;
        return bits;
    }

    public static int ReadLane(Cursor cursor)
    {
        if (cursor.Kind != TokenKind.Natural) throw cursor.Unexpected();
        return ReadByte(cursor);
    }

    static int ReadByte(Cursor cursor)
    {
        var value = ulong.MaxValue;
        var isByte = cursor.Kind == TokenKind.Natural && NumberText.TryNatural(cursor.Span, out value) && value <= 0xFF;
        if (!isByte) throw cursor.Error("i8 constant out of range");
        cursor.Position++;
        return (int)value;
    }

    public static void ReadShuffle(Cursor cursor, BinaryOutput output)
    {
        var place = cursor.Position;
        CheckCount(cursor, 16, "invalid lane length");
        while (cursor.Position < place + 16) output.Byte(ReadByte(cursor));
    }

    /// <summary>Reads a shape and its lanes.</summary>
    public static void ReadVector(Cursor cursor, BinaryOutput output)
    {
        var shape = cursor.Kind == TokenKind.Keyword ? cursor.Span : [];
        var lanes = LanesOf(shape);
        if (lanes == 0) throw cursor.Unexpected();
        var isFloat = shape[0] == 'f';
        cursor.Position++;
        CheckCount(cursor, lanes, "wrong number of lane literals");
        for (var lane = 0; lane < lanes; lane++) ReadVectorLane(cursor, output, 128 / lanes, isFloat);
    }

    static void ReadVectorLane(Cursor cursor, BinaryOutput output, int width, bool isFloat)
    {
        var bits = (isFloat, width) switch
        {
            (true, 32) => ReadFloat32(cursor),
            (true, _) => ReadFloat64(cursor),
            _ => (ulong)ReadInteger(cursor, width),
        };
        for (var bit = 0; bit < width; bit += 8) output.Byte((int)(bits >> bit) & 0xFF);
    }

    /// <summary>Lanes of a vector shape; 0 where the word is none.</summary>
    public static int LanesOf(ReadOnlySpan<char> shape) => shape switch
    {
        "i8x16" => 16,
        "i16x8" => 8,
        "i32x4" or "f32x4" => 4,
        "i64x2" or "f64x2" => 2,
        _ => 0,
    };

    static bool IsNumber(Cursor cursor) => cursor.Kind is TokenKind.Natural or TokenKind.Signed or TokenKind.Float;

    static void CheckCount(Cursor cursor, int count, string reason)
    {
        var start = cursor.Position;
        while (IsNumber(cursor)) cursor.Position++;
        if (cursor.Position != start + count)
            throw cursor.IsUnknownWord ? cursor.Unexpected() : cursor.Error(reason);
        cursor.Position = start;
    }
}
