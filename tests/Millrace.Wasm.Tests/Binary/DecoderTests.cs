using Millrace.Wasm.Binary;
using static Millrace.Wasm.Tests.Binary.ModuleBytes;

namespace Millrace.Wasm.Tests.Binary;

public sealed class DecoderTests
{
    const byte I32 = 0x7F, I64 = 0x7E, V128 = 0x7B, FuncRef = 0x70, ExternRef = 0x6F, AnyRef = 0x6E;

    [Fact]
    public void Decodes_every_section()
    {
        var module = Decoder.Decode(Rich());

        Assert.Equal("[i32] -> [i32 i64]", module.Types[0].Function!.ToString());
        Assert.Equal(("env", "f", 0), (module.Imports[0].Module, module.Imports[0].Name, module.Imports[0].Index));
        Assert.Equal((1, 2), (module.ImportedFunctionCount, module.Functions.Length));
        Assert.Equal([new(2, ValueType.I32), new(1, ValueType.V128)], module.Functions[1].Locals.ToArray());
        Assert.Equal(3, module.Functions[1].LocalCount);
        Assert.Equal(new SizeLimits(1, 9, false, false), module.Memories[0].Limits);
        Assert.Equal(ValueType.FuncRef, module.Tables[0].ElementType);
        Assert.Equal((ValueType.I32, true), (module.Globals[0].Type, module.Globals[0].IsMutable));
        Assert.Equal(new ModuleExport("run", ExternKind.Function, 1), module.Exports[0]);
        Assert.Equal((true, 1), (module.HasStart, module.StartFunction));
        Assert.Equal([1], module.Elements[0].Functions.ToArray());
        Assert.Equal("hi", System.Text.Encoding.ASCII.GetString(Slice(module, module.Data[0].Content)));
        Assert.Equal("note", module.CustomSections[0].Name);
        Assert.Equal(2, module.Tags[0].TypeIndex);
    }

    [Fact]
    public void Points_function_bodies_at_their_instructions()
    {
        var module = Decoder.Decode(Function([], [0x01, 0x01]));

        Assert.Equal([0x01, 0x01, 0x0B], Slice(module, module.Functions[0].Body));
    }

    [Theory]
    [InlineData("0061736D01000000" + "0E0100", "malformed section id", 8)]
    [InlineData("0061736D01000000" + "0102", "length out of bounds", 9)]
    [InlineData("0061736D01000000" + "010100" + "010100", "unexpected content after last section", 11)]
    [InlineData("0061736D01000000" + "010200", "length out of bounds", 9)]
    [InlineData("0061736D01000000" + "01020000", "section size mismatch", 11)]
    [InlineData("0061736D02000000", "unknown binary version", 4)]
    [InlineData("0061736E01000000", "magic header not detected", 0)]
    [InlineData("0061736D0100", "unexpected end", 6)]
    [InlineData("0061736D01000000" + "01020161", "malformed definition type", 11)]
    [InlineData("0061736D01000000" + "0105016001400000", "malformed value type", 13)]
    [InlineData("0061736D01000000" + "05030108" + "00", "malformed limits flags", 11)]
    [InlineData("0061736D01000000" + "0405017003" + "0000", "malformed limits flags", 12)] // a shared table
    [InlineData("0061736D01000000" + "0404017F0000", "malformed reference type", 11)]
    [InlineData("0061736D01000000" + "0606017F0241000B", "malformed mutability", 12)]
    [InlineData("0061736D01000000" + "0204010000" + "05", "malformed import kind", 13)]
    [InlineData("0061736D01000000" + "0703010005", "malformed export kind", 12)]
    [InlineData("0061736D01000000" + "09020108", "malformed elements segment kind", 11)]
    public void Tells_what_is_malformed_and_where(string hex, string reason, int offset)
    {
        var error = Assert.Throws<MalformedException>(() => Decoder.Decode(Convert.FromHexString(hex)));

        Assert.Equal((reason, offset), (error.Reason, error.Offset));
    }

    [Theory]
    [InlineData("illegal opcode 27", 0x27)]
    [InlineData("illegal opcode fc 12", 0xFC, 0x12)]
    [InlineData("illegal opcode fd 114", 0xFD, 0x94, 0x02)]
    [InlineData("malformed memop flags", 0x28, 0x80, 0x01, 0x00)]
    [InlineData("malformed catch clause", 0x1F, 0x40, 0x01, 0x04, 0x00)]
    [InlineData("malformed heap type", 0xD0, 0x7F)]
    [InlineData("malformed br_on_cast flags", 0xFB, 24, 4, 0, 0x6E, 0x6E)]
    [InlineData("zero byte expected", 0xFE, 3, 1)]
    [InlineData("END opcode expected", 0x02, 0x40, 0x05, 0x0B)]
    [InlineData("section size mismatch", 0x0B, 0x01)]
    [InlineData("data count section required", 0xFC, 0x09, 0x00)]
    public void Tells_what_is_malformed_in_code(string reason, params int[] code)
    {
        var bytes = Function([], [.. code.Select(number => (byte)number)]);

        var error = Assert.Throws<MalformedException>(() => Decoder.Decode(bytes));

        Assert.Equal(reason, error.Reason);
    }

    [Fact]
    public void Reports_a_module_cut_anywhere()
    {
        var bytes = Rich();
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = bytes[..length];
            try
            {
                Decoder.Decode(cut); // between two sections a cut module may still be one
            }
            catch (MalformedException error)
            {
                Assert.InRange(error.Offset, 0, length);
            }
        }
    }

    [Fact]
    public void Refuses_more_locals_than_the_limit()
    {
        var fits = Locals(Limits.Locals);
        var exceeds = Locals(Limits.Locals + 1);

        Assert.Equal(Limits.Locals, Decoder.Decode(fits).Functions[0].LocalCount);
        Assert.StartsWith("too many locals", Assert.Throws<MalformedException>(() => Decoder.Decode(exceeds)).Reason);
    }

    [Fact]
    public void Refuses_blocks_nested_deeper_than_the_limit()
    {
        var fits = Nested(Limits.Nesting - 1);
        var exceeds = Nested(Limits.Nesting);

        Assert.Single(Decoder.Decode(fits).Functions);
        var error = Assert.Throws<MalformedException>(() => Decoder.Decode(exceeds));
        Assert.StartsWith("blocks nested too deeply", error.Reason);
    }

    [Theory]
    [InlineData(TypeSection)]
    [InlineData(ImportSection)]
    [InlineData(FunctionSection)]
    [InlineData(TableSection)]
    [InlineData(MemorySection)]
    [InlineData(GlobalSection)]
    [InlineData(ExportSection)]
    [InlineData(ElementSection)]
    [InlineData(CodeSection)]
    [InlineData(DataSection)]
    [InlineData(TagSection)]
    public void Does_not_believe_a_count_that_the_bytes_cannot_hold(byte section)
    {
        var bytes = Module(RawSection(section, 0x9F, 0x8D, 0x06, 0, 0, 0));
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<MalformedException>(() => Decoder.Decode(bytes));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Theory]
    [InlineData(WasmFeatures.None)]
    [InlineData(WasmFeatures.Simd, 0xFD, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1A)]
    [InlineData(WasmFeatures.SignExtension, 0x41, 0, 0xC0, 0x1A)]
    [InlineData(WasmFeatures.TailCalls, 0x12, 0)]
    [InlineData(WasmFeatures.Exceptions, 0x1F, 0x40, 0, 0x0B)]
    [InlineData(WasmFeatures.ReferenceTypes, 0xD0, 0x70, 0x1A)]
    [InlineData(WasmFeatures.Gc | WasmFeatures.ReferenceTypes, 0xD0, 0x6E, 0x1A)]
    [InlineData(WasmFeatures.Threads, 0xFE, 3, 0)]
    public void Tells_the_features_that_code_uses(WasmFeatures expected, params int[] code)
    {
        var module = Decoder.Decode(Function([], [.. code.Select(number => (byte)number)]));

        Assert.Equal(expected, module.Features);
    }

    [Fact]
    public void Tells_the_features_that_sections_use()
    {
        Assert.Equal(WasmFeatures.MultiValue, Features(Section(TypeSection, Type([], [I32, I64]))));
        Assert.Equal(WasmFeatures.Simd, Features(Section(TypeSection, Type([V128], []))));
        Assert.Equal(WasmFeatures.ReferenceTypes, Features(Section(TypeSection, Type([ExternRef], []))));
        Assert.Equal(WasmFeatures.Gc, Features(Section(TypeSection, [0x5F, 0])));
        Assert.Equal(WasmFeatures.Gc, Features(Section(TypeSection, [0x50, 0, 0x60, 0, 0])));
        Assert.Equal(WasmFeatures.None, Features(Section(TableSection, [FuncRef, 0, 0])));
        Assert.Equal(WasmFeatures.ReferenceTypes, Features(Section(TableSection, [ExternRef, 0, 0])));
        Assert.Equal(WasmFeatures.ReferenceTypes, Features(Section(TableSection, [FuncRef, 0, 0], [FuncRef, 0, 0])));
        Assert.Equal(WasmFeatures.ReferenceTypes | WasmFeatures.Gc, Features(Section(TableSection, [AnyRef, 0, 0])));
        Assert.Equal(WasmFeatures.MultiMemory, Features(Section(MemorySection, [0, 0], [0, 0])));
        Assert.Equal(WasmFeatures.Memory64, Features(Section(MemorySection, [4, 0])));
        Assert.Equal(WasmFeatures.Threads, Features(Section(MemorySection, [3, 0, 1])));
        Assert.Equal(
            WasmFeatures.ExtendedConst, Features(Section(GlobalSection, [I32, 0, 0x41, 1, 0x41, 1, 0x6A, 0x0B])));
        Assert.Equal(WasmFeatures.BulkMemory, Features(Section(DataSection, [1, 0])));
        Assert.Equal(WasmFeatures.Exceptions, Features(Section(TagSection, [0, 0])));
        Assert.Equal(WasmFeatures.MutableGlobals, Features(Section(ImportSection, [0, 0, 3, I32, 1])));
    }

    [Fact]
    public void Reads_names_lazily_and_ignores_malformed_ones()
    {
        byte[] good = [0, 2, 1, (byte)'m', 1, 4, 1, 0, 1, (byte)'f', 2, 6, 1, 0, 1, 3, 1, (byte)'x'];
        var named = Decoder.Decode(Module(Custom("name", good)));
        var broken = Decoder.Decode(Module(Custom("name", good[..^1])));

        Assert.Equal(("m", "f", "x"), (named.Names.Module, named.Names.Functions[0], named.Names.Locals[(0, 3)]));
        Assert.Equal("f", named.FunctionName(0));
        Assert.Empty(broken.Names.Functions);
    }

    [Fact]
    public void Names_a_function_by_its_export_or_import_where_the_name_section_does_not()
    {
        var module = Decoder.Decode(Rich());

        Assert.Equal("env.f", module.FunctionName(0));
        Assert.Equal("run", module.FunctionName(1));
        Assert.Null(module.FunctionName(2));
    }

    static WasmFeatures Features(params byte[][] sections) => Decoder.Decode(Module(sections)).Features;

    static byte[] Slice(ModuleDefinition module, CodeRange range) =>
        module.Bytes.Span[range.Start..range.End].ToArray();

    static byte[] Locals(int count) => Module(
        Section(TypeSection, Type([], [])), Section(FunctionSection, [0]),
        Section(CodeSection, BodyWithLocals([2, .. Leb((ulong)count - 5), I32, 5, I64])));

    static byte[] Nested(int depth) => Function(
        [],
        [
            .. Enumerable.Repeat<byte[]>([0x02, 0x40], depth).SelectMany(open => open),
            .. Enumerable.Repeat<byte>(0x0B, depth),
        ]);

    /// <summary>A valid module with an entry in every section.</summary>
    public static byte[] Rich() => Module(
        Custom("note", 1, 2, 3),
        Section(TypeSection, Type([I32], [I32, I64]), Type([], []), Type([I64], [])),
        Section(ImportSection, [.. Name("env"), .. Name("f"), 0, 0]),
        Section(FunctionSection, [1]),
        Section(TableSection, [FuncRef, 0, 4]),
        Section(MemorySection, [1, 1, 9]),
        Section(TagSection, [0, 2]),
        Section(GlobalSection, [I32, 1, 0x41, 7, 0x0B]),
        Section(ExportSection, [.. Name("run"), 0, 1]),
        RawSection(StartSection, 1),
        Section(ElementSection, [0, 0x41, 0, 0x0B, 1, 1]),
        RawSection(DataCountSection, 1),
        Section(CodeSection, BodyWithLocals(
            [3, 2, I32, 0, I64, 1, V128],
            0x41, 0, 0x10, 0, 0x1A, 0x21, 0, // i32.const 0; call 0; drop; local.set 0
            0x03, 0x40, 0x20, 0, 0x28, 2, 4, 0x04, 0x40, 0x0C, 1, 0x0B, 0x0B, // loop; if (i32.load) br 1
            0x41, 0, 0x11, 1, 0)), // call_indirect
        Section(DataSection, [0, 0x41, 0, 0x0B, 2, (byte)'h', (byte)'i']));
}
