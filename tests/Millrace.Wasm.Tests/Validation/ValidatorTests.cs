using Millrace.Wasm.Binary;
using Millrace.Wasm.Validation;
using static Millrace.Wasm.Tests.Binary.ModuleBytes;

namespace Millrace.Wasm.Tests.Validation;

public sealed class ValidatorTests
{
    const byte I32 = 0x7F, I64 = 0x7E, V128 = 0x7B, FuncRef = 0x70;

    [Fact]
    public void Accepts_a_module_with_an_entry_in_every_section() => Validate(Binary.DecoderTests.Rich());

    [Fact]
    public void Names_the_function_and_the_instruction()
    {
        var bytes = Module(
            Section(TypeSection, Type([], [I32])), Section(FunctionSection, [0], [0]),
            Section(ExportSection, [.. Name("bad"), 0, 1]),
            Section(CodeSection, Body(0x41, 1), Body(0x41, 1, 0x42, 2, 0x6A)));

        var error = Assert.Throws<InvalidException>(() => Validate(bytes));

        Assert.Equal("type mismatch: instruction requires [i32 i32] but stack has [i32 i64]", error.Reason);
        Assert.Equal($"func[1] bad, i32.add at offset {bytes.Length - 2}", error.Place);
    }

    [Theory]
    [InlineData("type mismatch: instruction requires [i32] but stack has []", 0x04, 0x40, 0x0B)]
    [InlineData("unknown local 3", 0x20, 3)]
    [InlineData("unknown global 0", 0x23, 0)]
    [InlineData("unknown function 9", 0x10, 9)]
    [InlineData("unknown label 2", 0x02, 0x40, 0x0C, 2, 0x0B)]
    [InlineData("unknown memory 0", 0x41, 0, 0x28, 2, 0)]
    [InlineData("unknown table 0", 0x41, 0, 0x11, 0, 0)]
    [InlineData("unknown type 7", 0x02, 7, 0x0B)]
    [InlineData("unknown tag 0", 0x08, 0)]
    [InlineData("unknown elem segment 4", 0xFC, 13, 4)]
    [InlineData("undeclared function reference 0", 0xD2, 0, 0x1A)]
    [InlineData("invalid result arity", 0x00, 0x1C, 2, 0x7F, 0x7F, 0x1A)]
    [InlineData("type mismatch: block requires [] but stack has [i32] below it", 0x02, 0x40, 0x41, 0, 0x0B)]
    public void Uses_the_suites_words(string reason, params int[] code)
    {
        var error = Assert.Throws<InvalidException>(
            () => Validate(Function([], [.. code.Select(number => (byte)number)])));

        Assert.Equal(reason, error.Reason);
    }

    [Fact]
    public void Checks_the_alignment_and_offset_of_accesses()
    {
        Assert.Equal("alignment must not be larger than natural", Reason(Access(0x28, 3, 0)));
        Assert.Equal("offset out of range", Reason(Access(0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10)));
        Assert.Equal("alignment must be equal to natural", Reason(Access(0xFE, 0x10, 1, 0)));
        Validate(Access(0x28, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F));
    }

    [Fact]
    public void Takes_addresses_of_64_bits_for_memories_that_have_them()
    {
        var memory = Section(MemorySection, [4, 1]);
        Validate(Function([], [0x42, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1A], memory));
        Validate(Function([I64], [0x42, 1, 0x40, 0], memory));
        Assert.StartsWith("type mismatch", Reason(Function([], [0x41, 0, 0x28, 2, 0, 0x1A], memory)));
    }

    [Fact]
    public void Assumes_any_operand_in_unreachable_code_but_not_a_wrong_one()
    {
        Validate(Function([I32], [0x00, 0x6A]));
        Validate(Function([I32], [0x00, 0x1B]));
        Validate(Function([I32], [0x00, 0xD4, 0xD1])); // ref.as_non_null; ref.is_null
        Assert.StartsWith("type mismatch", Reason(Function([I32], [0x00, 0x42, 0, 0x6A])));
        Assert.StartsWith("type mismatch", Reason(Function([I32], [0x00, 0xD4]))); // a reference, whatever it refers to
    }

    [Fact]
    public void Requires_a_value_for_locals_without_a_default_on_every_way()
    {
        byte[] locals = [1, 1, 0x64, FuncRef]; // (ref func)
        byte[] set = [0xD2, 0, 0x21, 0];
        byte[] use = [0x20, 0, 0x1A];

        Validate(WithLocals(locals, [.. set, .. use]));
        Validate(WithLocals(locals, [.. set, 0x02, 0x40, .. use, 0x0B]));
        Assert.Equal("uninitialized local 0", Reason(WithLocals(locals, use)));
        Assert.Equal("uninitialized local 0", Reason(WithLocals(locals, [0x02, 0x40, .. set, 0x0B, .. use])));
        Assert.Equal(
            "uninitialized local 0", Reason(WithLocals(locals, [0x41, 0, 0x04, 0x40, .. set, 0x05, .. use, 0x0B])));
    }

    [Fact]
    public void Lets_constant_expressions_hold_constants_only()
    {
        Validate(Module(Section(GlobalSection, [I32, 0, 0x41, 1, 0x41, 2, 0x6C, 0x0B], [I32, 0, 0x23, 0, 0x0B])));
        Assert.Equal("constant expression required", Reason(Global(I32, 0x41, 1, 0x41, 2, 0x6D, 0x0B)));
        Assert.Equal("constant expression required", Reason(Global(I32, 0x01, 0x41, 1, 0x0B)));
        Assert.Equal("unknown global 0", Reason(Global(I32, 0x23, 0, 0x0B)));
        Assert.StartsWith("type mismatch", Reason(Global(I32, 0x42, 0, 0x0B)));
        Assert.StartsWith("type mismatch", Reason(Global(I32, 0x41, 0, 0x41, 0, 0x0B)));
    }

    [Fact]
    public void Checks_sizes_exports_and_the_start_function()
    {
        Assert.Equal(
            "memory size must be at most 65536 pages (4GiB)",
            Reason(Module(Section(MemorySection, [0, 0x81, 0x80, 0x04]))));
        Assert.Equal("shared memory must have maximum", Reason(Module(Section(MemorySection, [2, 0]))));
        Assert.Equal(
            "size minimum must not be greater than maximum", Reason(Module(Section(MemorySection, [1, 2, 1]))));
        Assert.Equal("duplicate export name", Reason(Module(
            Section(MemorySection, [0, 0]), Section(ExportSection, [.. Name("a"), 2, 0], [.. Name("a"), 2, 0]))));
        Assert.Equal("unknown memory 1", Reason(Module(
            Section(MemorySection, [0, 0]), Section(ExportSection, [.. Name("a"), 2, 1]))));
        Assert.StartsWith("start function", Reason(Module(
            Section(TypeSection, Type([], [I32])), Section(FunctionSection, [0]), RawSection(StartSection, 0),
            Section(CodeSection, Body(0x41, 0)))));
    }

    [Fact]
    public void Checks_lanes()
    {
        Assert.Equal("invalid lane index", Reason(Function([I32], [.. Zero, 0xFD, 27, 4])));
        Assert.Equal("invalid lane index", Reason(Function([V128], [.. Zero, .. Zero, 0xFD, 13, .. new byte[15], 32])));
        Validate(Function([I32], [.. Zero, 0xFD, 27, 3]));
    }

    [Fact]
    public void Limits_the_operands_of_a_function()
    {
        // Each call adds a thousand results.
        var results = Enumerable.Repeat(I32, Limits.Results).ToArray();
        byte[] type = [0x60, 0, .. Leb(Limits.Results), .. results];
        byte[] code = [.. Enumerable.Repeat<byte[]>([0x10, 0], 101).SelectMany(call => call), 0x00];
        var bytes = Module(
            Section(TypeSection, type), Section(FunctionSection, [0], [0]),
            Section(CodeSection, Body(0x00), Body(code)));

        Assert.StartsWith("too many operands", Reason(bytes));
    }

    [Fact]
    public void Holds_the_time_of_validation_to_the_modules_size()
    {
        // Two bytes of code per thousand operands passed on, and fifty thousand locals per small function.
        var many = Enumerable.Repeat(I32, 1000).ToArray();
        byte[] type = [0x60, .. Leb(1000), .. many, .. Leb(1000), .. many];
        var calls = Enumerable.Repeat<byte[]>([0x10, 1], 100_000).SelectMany(call => call);
        var passing = Module(
            Section(TypeSection, type), Section(FunctionSection, [0], [0]),
            Section(CodeSection, Body(0x00), Body([0x00, .. calls])));
        var locals = Module(
            Section(TypeSection, Type([], [])), Section(FunctionSection, [.. Enumerable.Repeat<byte[]>([0], 5_000)]),
            Section(CodeSection, [.. Enumerable.Repeat(BodyWithLocals([1, .. Leb(Limits.Locals), I32]), 5_000)]));

        Assert.StartsWith("module too costly to validate", Reason(passing));
        Assert.StartsWith("module too costly to validate", Reason(locals));
    }

    [Fact]
    public void Tells_the_compiler_what_a_body_does()
    {
        var module = Decoder.Decode(Binary.DecoderTests.Rich());
        Validator.Validate(module);

        var facts = module.Functions[1].Facts!;

        Assert.True(facts is { UsesMemory: true, HasCalls: true, HasLoops: true, GrowsMemory: false, IsLeaf: false });
        Assert.Equal((2, 3, 14), (facts.OperandsMax, facts.NestingMax, facts.InstructionCount));
        Assert.Null(module.Functions[0].Facts);
    }

    [Fact]
    public void Matches_declared_supertypes()
    {
        byte[] open = [0x50, 0, 0x5F, 1, I32, 0];
        Validate(Module(Section(TypeSection, open, [0x50, 1, 0, 0x5F, 2, I32, 0, I64, 1])));
        Assert.StartsWith("sub type", Reason(Module(Section(TypeSection, open, [0x50, 1, 0, 0x5F, 1, I64, 0]))));
        Assert.StartsWith("sub type", Reason(Module(Section(TypeSection, [0x5F, 0], [0x50, 1, 0, 0x5F, 0]))));
        byte[] twice = [0x50, 2, 0, 1, 0x5F, 1, I32, 0];
        Assert.StartsWith("sub type", Reason(Module(Section(TypeSection, open, open, twice))));
        Assert.Equal("unknown type 1", Reason(Module(Section(TypeSection, [0x50, 1, 1, 0x5F, 0], open))));
    }

    [Fact]
    public void Limits_the_depth_of_subtypes()
    {
        byte[][] chain = [
            [0x50, 0, 0x5F, 0],
            .. Enumerable.Range(0, Limits.SubtypeDepth + 1).Select(super => (byte[])[0x50, 1, (byte)super, 0x5F, 0]),
        ];

        Validate(Module(Section(TypeSection, chain[..^1])));
        Assert.StartsWith("sub type hierarchy too deep", Reason(Module(Section(TypeSection, chain))));
    }

    static byte[] Zero => [0xFD, 12, .. new byte[16]];

    static byte[] Access(params byte[] access) =>
        Function([], [0x41, 0, .. access, 0x1A], Section(MemorySection, [0, 1]));

    static byte[] Global(byte type, params byte[] initializer) =>
        Module(Section(GlobalSection, [type, 0, .. initializer]));

    static byte[] WithLocals(byte[] locals, byte[] code) => Module(
        Section(TypeSection, Type([], [])), Section(FunctionSection, [0]),
        Section(ExportSection, [.. Name("f"), 0, 0]), Section(CodeSection, BodyWithLocals(locals, code)));

    static string Reason(byte[] bytes) => Assert.Throws<InvalidException>(() => Validate(bytes)).Reason;

    static void Validate(byte[] bytes) => Validator.Validate(Decoder.Decode(bytes));
}
