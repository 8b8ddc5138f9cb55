using System.Buffers.Binary;
using Encoding = System.Text.Encoding;
using Millrace.Wasm.Binary;
using static Millrace.Wasm.Tests.Binary.ModuleBytes;

namespace Millrace.Wasm.Tests.Dwarf;

/// <summary>Line programs written byte by byte.</summary>
static class LineSection
{
    /// <summary>A module with those units in <c>.debug_line</c>.</summary>
    public static ModuleDefinition Module(params byte[][] units) =>
        Decoder.Decode(ModuleBytesOf([.. units.SelectMany(unit => unit)]));

    public static byte[] ModuleBytesOf(byte[] section) => Binary.ModuleBytes.Module(
        Custom(".debug_line", section), Custom(".debug_str", Strings("zero", "of .debug_str")),
        Custom(".debug_line_str", Strings("/code", "of .debug_line_str")));

    /// <summary>A unit of version 3 or 4 with the folder <c>lib</c> and the files <c>a.c</c> and <c>lib/b.c</c>.</summary>
    public static byte[] Unit(int version, params byte[][] program)
    {
        byte[] files = [.. Strings("lib"), 0, .. Strings("a.c"), 0, 0, 0, .. Strings("b.c"), 1, 0, 0, 0];
        return Unit(version, Header(version, files), program);
    }

    /// <summary>A unit of version 5 with tables as given.</summary>
    public static byte[] Unit5(byte[] tables, params byte[][] program) => Unit(5, Header(5, tables), program);

    public static byte[] Strings(params string[] texts) =>
        [.. texts.SelectMany(text => Encoding.UTF8.GetBytes(text).Append((byte)0))];

    public static byte[] Address(uint address) => [0, 5, 2, .. Fixed(address)];

    public static byte[] Special(int address, int line) => [(byte)(13 + (address * 14) + line + 5)];

    public static byte[] End(int address) => [2, .. Leb((ulong)address), 0, 1, 1];

    public static byte[] Fixed(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    // line_base −5, line_range 14, opcode_base 13: what compilers write.
    public static byte[] Header(int version, byte[] tables, byte range = 14) =>
    [
        1, .. version >= 4 ? new byte[] { 1 } : [], 1, 0xFB, range, 13,
        0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, .. tables,
    ];

    public static byte[] Unit(int version, byte[] header, byte[][] program)
    {
        byte[] content =
        [
            (byte)version, 0, .. version == 5 ? new byte[] { 4, 0 } : [],
            .. Fixed((uint)header.Length), .. header, .. program.SelectMany(part => part),
        ];
        return [.. Fixed((uint)content.Length), .. content];
    }
}
