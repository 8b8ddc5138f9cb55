using System.Text;

namespace Millrace.Wasm.Tests.Compilation;

public sealed class RefusalTests
{
    [Theory]
    [InlineData("(func (param v128))", "SIMD", WasmFeatures.Simd)]
    [InlineData("(func $f (return_call $f))", "tail calls", WasmFeatures.TailCalls)]
    [InlineData("(type (struct))", "garbage collection", WasmFeatures.Gc)]
    [InlineData("(tag)", "exceptions", WasmFeatures.Exceptions)]
    [InlineData("(memory i64 1)", "64-bit memories", WasmFeatures.Memory64)]
    [InlineData("(memory 1) (memory 1)", "several memories", WasmFeatures.MultiMemory)]
    [InlineData("(memory 1 1 shared)", "threads", WasmFeatures.Threads)]
    public void A_feature_that_is_switched_off_is_refused_by_name(string fields, string feature, WasmFeatures off)
    {
        using var engine = new Engine(new() { Features = WasmFeatures.All & ~off });

        var refusal = Assert.Throws<UnsupportedFeatureException>(
            () => Module.Compile(engine, WatText.ToBinary($"(module {fields})")));

        Assert.Contains(feature, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Threads_are_off_unless_asked_for()
    {
        using var engine = new Engine();

        Assert.Throws<UnsupportedFeatureException>(
            () => Module.Compile(engine, WatText.ToBinary("(module (memory 1) (func (atomic.fence)))")));
    }

    [Fact]
    public void A_function_with_too_many_locals_is_refused()
    {
        using var engine = new Engine();
        var text = $"(module (func (local {string.Join(' ', Enumerable.Repeat("i32", 30_001))})))";

        Assert.Throws<UnsupportedFeatureException>(() => Module.Compile(engine, WatText.ToBinary(text)));
    }

    [Fact]
    public void A_function_that_becomes_too_large_is_refused()
    {
        // A branch with a thousand operands takes three bytes here, and thousands in CIL.
        var types = string.Join(' ', Enumerable.Repeat("i64", 1_000));
        var text = new StringBuilder($"(module (func (param i32) (block (result {types}) ");
        for (var i = 0; i < 1_000; i++) text.Append("(i64.const 1)");
        for (var i = 0; i < 2_000; i++) text.Append("(br_if 0 (local.get 0))");
        text.Append(") unreachable))");
        using var engine = new Engine();

        Assert.Throws<UnsupportedFeatureException>(() => Module.Compile(engine, WatText.ToBinary(text.ToString())));
    }
}
