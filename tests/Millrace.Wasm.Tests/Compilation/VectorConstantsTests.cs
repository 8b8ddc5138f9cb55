using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Compilation;

/// <summary>What the compiler or the JIT computes from constants, against what the machine computes.</summary>
public sealed class VectorConstantsTests
{
    static readonly string[] Vectors =
    [
        "0 0", "-1 -1", "0x8000000080000000 0x8000000080000000", "0x3f8000003f800000 0x3f8000003f800000",
        "0x3ff0000000000000 0x3ff0000000000000", "0x8000000000000000 0x8000000000000000",
        "0x7f8000017f800001 0x7f8000017f800001", "0x7ff0000000000001 0x7ff0000000000001",
        "0x8081828384858687 0x7f7e7d7c7b7a7978", "0x4f800000cf000000 0x4effffffbf7fffff",
        "0x41efffffffe00000 0xc1e0000000200000", "0x0807060504030201 0x100f0e0d0c0b0a09",
    ];

    static readonly string[] Numbers = ["0", "1", "-1", "7", "8", "31", "63", "0x80000000"];

    public static TheoryData<string> Names =>
        [.. Instructions.All.ToArray()
            .Where(row => row.Feature is WasmFeatures.Simd or WasmFeatures.RelaxedSimd
                && row.Immediate is ImmediateKind.Nothing or ImmediateKind.Lane)
            .Select(row => row.Name).Where(name => name.Contains('x', StringComparison.Ordinal) || name[0] == 'v')];

    [Theory]
    [MemberData(nameof(Names))]
    public void Constants_give_what_variables_give(string name)
    {
        var row = Instructions.Find(name)!;
        var inputs = Inputs(row).ToArray();
        using var guest = Guest.FromWat(Text(row, inputs));

        for (var i = 0; i < inputs.Length; i++)
        {
            var results = guest.Call($"{i}").Select(value => value.AsV128).ToArray();

            Assert.All(results, result => Assert.True(
                AreSame(row, results[0], result), $"{name} {string.Join(", ", inputs[i])}: {results[0]}, {result}"));
        }
    }

    // All operands as constants, all but the first, all but the last, none.
    static string Text(Instruction row, string[][] inputs)
    {
        var text = new StringBuilder("(module (memory 1) ");
        var types = row.Parameters;
        var results = string.Join(' ', Enumerable.Repeat(row.Results[0], 4));
        for (var i = 0; i < inputs.Length; i++)
        {
            var known = types.Select((type, at) => Constant(type, inputs[i][at])).ToArray();
            var loaded = types.Select((type, at) => type == ValueType.V128
                ? $"(v128.load (i32.const {at * 16}))" : known[at]).ToArray();
            text.Append(CultureInfo.InvariantCulture, $"""(func (export "{i}") (result {results}) """);
            for (var at = 0; at < types.Length; at++)
            {
                if (types[at] == ValueType.V128)
                    text.Append(CultureInfo.InvariantCulture, $"(v128.store (i32.const {at * 16}) {known[at]})");
            }
            foreach (var operands in (string[][])
                [known, [loaded[0], .. known[1..]], [.. known[..^1], loaded[^1]], loaded])
            {
                var lane = row.Immediate == ImmediateKind.Lane ? " 1" : "";
                text.Append(CultureInfo.InvariantCulture, $"({row.Name}{lane} {string.Join(' ', operands)})\n");
            }
            text.Append(')');
        }
        return text.Append(')').ToString();
    }

    static IEnumerable<string[]> Inputs(Instruction row)
    {
        for (var first = 0; first < Vectors.Length; first++)
        {
            foreach (var second in (int[])[first, first * 5 + 1])
            {
                var at = new[] { first, second, first + second };
                yield return [.. row.Parameters.Select((type, i) => type == ValueType.V128
                    ? Vectors[at[i] % Vectors.Length] : Numbers[at[i] % Numbers.Length])];
            }
        }
    }

    static string Constant(ValueType type, string value) =>
        type == ValueType.V128 ? $"(v128.const i64x2 {value})" : $"({type}.const {value})";

    // Of two NaNs either may be the one that comes out; it is quiet in any case.
    static bool AreSame(Instruction row, Vector128<byte> a, Vector128<byte> b)
    {
        if (a == b) return true;
        var isDouble = row.Name.StartsWith("f64x2", StringComparison.Ordinal);
        if (!isDouble && !row.Name.StartsWith("f32x4", StringComparison.Ordinal)) return false;
        var quiet = isDouble ? Vector128.Create(0x7FF8L << 48).AsByte() : Vector128.Create(0x7FC00000).AsByte();
        var (x, y) = (a & quiet, b & quiet);
        return isDouble
            ? AreSame(a.AsInt64(), b.AsInt64(), x.AsInt64(), y.AsInt64(), quiet.AsInt64())
            : AreSame(a.AsInt32(), b.AsInt32(), x.AsInt32(), y.AsInt32(), quiet.AsInt32());
    }

    static bool AreSame<T>(Vector128<T> a, Vector128<T> b, Vector128<T> x, Vector128<T> y, Vector128<T> quiet) =>
        (Vector128.Equals(a, b) | Vector128.Equals(x, quiet) & Vector128.Equals(y, quiet))
            == Vector128<T>.AllBitsSet;
}
