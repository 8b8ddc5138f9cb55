namespace Millrace.Wasm.Tests.Text;

public sealed class WatTextTests
{
    static string Hex(string text) => Convert.ToHexStringLower(WatText.ToBinary(text)[8..]);

    static MalformedException Fault(string text) => Assert.Throws<MalformedException>(() => WatText.ToBinary(text));

    [Fact]
    public void An_empty_module_is_its_header() =>
        Assert.Equal(new byte[] { 0, 0x61, 0x73, 0x6d, 1, 0, 0, 0 }, WatText.ToBinary("(module)"));

    [Fact]
    public void Folded_instructions_put_their_operands_first() =>
        Assert.Equal(
            Hex("(func (result i32) i32.const 1 i32.const 2 i32.add)"),
            Hex("(module (func (result i32) (i32.add (i32.const 1) (i32.const 2))))"));

    [Fact]
    public void Folded_if_evaluates_its_condition_outside_of_its_label() =>
        Assert.Equal(
            Hex("(func (param i32) block local.get 0 br_if 0 local.get 0 if br 1 else br 0 end end)"),
            Hex("(func (param i32) (block $l (br_if $l (local.get 0)) "
                + "(if $i (local.get 0) (then (br $l)) (else (br $i)))))"));

    [Fact]
    public void Equal_signatures_share_one_implicit_type() =>
        Assert.StartsWith(
            "01060160017f017f",
            Hex("(func (param i32) (result i32) local.get 0) (func (param i32) (result i32) local.get 0)"));

    [Fact]
    public void Implicit_types_stand_behind_explicit_ones() =>
        Assert.StartsWith("010802600000" + "60017f00" + "030302" + "0100", Hex("(func (param i32)) (func) (type (func))"));

    [Fact]
    public void Identifiers_may_be_used_before_their_definition() =>
        Assert.Equal(
            "01040160000003030200000a0b02040010010b040010000b" + "000f046e616d65" + "010802" + "000162" + "0102c3a4",
            Hex("(func $b (call $\"\\c3\\a4\")) (func $\"\u00e4\" (call $b))"));

    [Fact]
    public void Memory_arguments_carry_alignment_memory_and_offset() =>
        Assert.EndsWith(
            "41002a42010a1a41002900e8071a0b",
            Hex("(memory 1) (memory 1) (func (drop (f32.load 1 offset=10 (i32.const 0))) "
                + "(drop (i64.load offset=0x3e8 align=1 (i32.const 0))))"));

    [Fact]
    public void Inline_elements_of_a_typed_table_become_expressions() =>
        Assert.Contains(
            "090c" + "01" + "06" + "00" + "41000b" + "6400" + "01" + "d2000b",
            Hex("(type $t (func)) (table (ref $t) (elem $f)) (func $f (type $t))"));

    [Theory]
    [InlineData("(func (i32.const 0x1_0000_0000))", "constant out of range", "1:18")]
    [InlineData("(module\n  (func\n    (foo)))", "unknown operator foo", "3:6")]
    [InlineData("(func) (import \"a\" \"b\" (func))", "import after function", "1:16")]
    [InlineData("(func $a) (func $a)", "duplicate func", "1:19")]
    [InlineData("(func (param $x i32) (local $x i32))", "duplicate local", "1:32")]
    [InlineData("(func block $a end $b)", "mismatching label", "1:20")]
    [InlineData("(func (br $x))", "unknown label", "1:11")]
    [InlineData("(func (call $x))", "unknown function", "1:13")]
    [InlineData("(memory 1) (func (i32.load align=3 (i32.const 0)))", "alignment must be a power of two", "1:28")]
    [InlineData("(start 0) (start 0) (func)", "multiple start sections", "1:18")]
    [InlineData("(func (nop)", "unexpected token", "1:12")]
    [InlineData("(module) x", "unknown operator x", "1:10")]
    [InlineData("(module))", "unexpected token", "1:9")]
    [InlineData("(; (; ;)", "unclosed comment", "1:1")]
    [InlineData("(export \"\\80\" (func 0))", "malformed UTF-8 encoding", "1:9")]
    [InlineData("(func \u00e4)", "illegal character", "1:7")]
    [InlineData("(@custom \"a\" (before nowhere) \"\")", "@custom annotation: malformed section kind", "1:9")]
    public void Faults_say_what_and_where(string text, string reason, string place)
    {
        var fault = Fault(text);

        Assert.StartsWith(reason, fault.Reason, StringComparison.Ordinal);
        Assert.EndsWith($"(at {place})", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_malformed() =>
        Assert.Equal(
            "malformed UTF-8 encoding",
            Assert.Throws<MalformedException>(() => WatText.ToBinary([0x28, 0xff])).Reason);

    [Fact]
    public void Branch_hints_become_a_custom_section_with_offsets()
    {
        var bytes = Hex("(func (param i32) (block (@metadata.code.branch_hint \"\\01\") (br_if 0 (local.get 0))))");

        Assert.Contains(
            "0020" + "19" + Convert.ToHexStringLower("metadata.code.branch_hint"u8) + "01" + "00" + "01" + "05" + "0101",
            bytes);
    }

    [Fact]
    public void Lone_surrogates_are_malformed() =>
        Assert.Equal("malformed UTF-8 encoding", Fault("(data \"\ud800\")").Reason);

    [Fact]
    public void Custom_annotations_become_custom_sections() =>
        Assert.Equal(
            "0004" + "01" + "61" + "0102" + "010401600000" + "0002" + "0162",
            Hex("(@custom \"b\") (type (func)) (@custom \"a\" (before type) \"\\01\" \"\\02\")"));

    [Fact]
    public void Name_annotations_replace_identifiers()
    {
        var bytes = WatText.ToBinary("(module $m (@name \"M 1\") (func $f (@name \"f 1\")))");

        Assert.EndsWith("0004034d2031" + "010601" + "00" + "03662031", Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void Deep_nesting_is_refused_without_using_up_the_stack()
    {
        var deep = "(func " + string.Concat(Enumerable.Repeat("(block ", 1_000_000)) + new string(')', 1_000_001);

        Assert.Equal("nesting too deep", Fault(deep).Reason);
    }

    [Fact]
    public void A_thousand_folded_blocks_fit_a_small_stack()
    {
        var text = "(func " + string.Concat(Enumerable.Repeat("(block ", 1_000)) + new string(')', 1_001);
        Exception? fault = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    WatText.ToBinary(text);
                }
                catch (MalformedException caught)
                {
                    fault = caught;
                }
            },
            maxStackSize: 512 * 1024);

        thread.Start();
        thread.Join();

        Assert.Null(fault);
    }
}
