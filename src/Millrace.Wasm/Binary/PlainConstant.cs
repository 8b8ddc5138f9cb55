namespace Millrace.Wasm.Binary;

/// <summary>
/// The expression <c>i32.const</c> of up to 28 bits, as nearly all constant ones are. Read without the table of
/// instructions, which a fresh process takes milliseconds to make.
/// </summary>
static class PlainConstant
{
    const byte I32Const = 0x41;
    const byte End = 0x0B;

    /// <summary>Whether it stands there: the position is then behind it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> module, ref int position, int end, out int value)
    {
        value = 0;
        var at = position;
        if (at >= end || module[at++] != I32Const) return false;
        for (var shift = 0; at < end && shift < 28; shift += 7)
        {
            var group = module[at++];
            value |= (group & 0x7F) << shift;
            if (group >= 0x80) continue;
            if (at >= end || module[at++] != End) return false;
            if ((group & 0x40) != 0) value |= -1 << (shift + 7);
            position = at;
            return true;
        }
        return false;
    }
}
