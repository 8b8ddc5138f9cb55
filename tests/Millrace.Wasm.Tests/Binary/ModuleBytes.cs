namespace Millrace.Wasm.Tests.Binary;

/// <summary>Writes small binary modules byte by byte, so that tests can also write wrong ones.</summary>
static class ModuleBytes
{
    public const byte TypeSection = 1, ImportSection = 2, FunctionSection = 3, TableSection = 4, MemorySection = 5,
        GlobalSection = 6, ExportSection = 7, StartSection = 8, ElementSection = 9, CodeSection = 10, DataSection = 11,
        DataCountSection = 12, TagSection = 13;

    /// <summary>Header and sections.</summary>
    public static byte[] Module(params byte[][] sections) =>
        [0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0, .. sections.SelectMany(section => section)];

    /// <summary>A section that is a vector of entries.</summary>
    public static byte[] Section(byte id, params byte[][] entries) =>
        RawSection(id, [.. Leb((ulong)entries.Length), .. entries.SelectMany(entry => entry)]);

    public static byte[] RawSection(byte id, params byte[] content) => [id, .. Leb((ulong)content.Length), .. content];

    public static byte[] Custom(string name, params byte[] content) => RawSection(0, [.. Name(name), .. content]);

    public static byte[] Name(string text) => [(byte)text.Length, .. System.Text.Encoding.ASCII.GetBytes(text)];

    /// <summary>A function type.</summary>
    public static byte[] Type(byte[] parameters, byte[] results) =>
        [0x60, (byte)parameters.Length, .. parameters, (byte)results.Length, .. results];

    /// <summary>A function body without locals; the final <c>end</c> is added.</summary>
    public static byte[] Body(params byte[] code) => BodyWithLocals([0], code);

    public static byte[] BodyWithLocals(byte[] locals, params byte[] code) =>
        [.. Leb((ulong)(locals.Length + code.Length + 1)), .. locals, .. code, 0x0B];

    /// <summary>A module with one function <c>[] -> results</c> of this code, and whatever sections come before it.
    /// </summary>
    public static byte[] Function(byte[] results, byte[] code, params byte[][] between) =>
        Module([Section(TypeSection, Type([], results)), Section(FunctionSection, [0]), .. between,
            Section(CodeSection, Body(code))]);

    public static byte[] Leb(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
