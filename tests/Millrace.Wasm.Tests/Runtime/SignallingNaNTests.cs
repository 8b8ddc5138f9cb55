namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Float arithmetic makes NaNs quiet, also where the JIT would leave it out.</summary>
public sealed class SignallingNaNTests
{
    [Theory]
    [InlineData("mul (local.get 0) (T.const 1)")]
    [InlineData("mul (local.get 0) (local.tee 1 (T.const 1))")]
    [InlineData("div (local.get 0) (local.tee 1 (T.const 1))")]
    [InlineData("sub (local.get 0) (local.get 1)")]
    [InlineData("sub (local.get 0) (block (result T) (T.const 0))")]
    [InlineData("add (local.tee 1 (T.const -0)) (local.get 0)")]
    [InlineData("mul (local.get 0) (call $one)")]
    [InlineData("mul (local.get 0) (select (T.const 1) (T.const 1) (i32.const 1))")]
    [InlineData("add (local.get 0) (global.get $g)")]
    public void Arithmetic_with_a_constant_makes_a_NaN_quiet(string instruction)
    {
        foreach (var type in (string[])["f32", "f64"])
        {
            using var guest = Guest.FromWat($$"""
                (module
                  (global $g {{type}} ({{type}}.const -0))
                  (func $one (result {{type}}) ({{type}}.const 1))
                  (func (export "f") (param {{type}}) (result {{type}}) (local {{type}})
                    ({{type}}.{{instruction.Replace("T", type, StringComparison.Ordinal)}})))
                """);
            var (signalling, quiet) = type == "f32" ? (0x7F800001, 0x7FC00001) : (0x7FF0000000000001, 0x7FF8000000000001);

            Assert.Equal(quiet, guest.Call("f", Value.From(signalling))[0].AsI64);
        }
    }
}
