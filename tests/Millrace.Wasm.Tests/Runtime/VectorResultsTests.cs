using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>
/// A digest of what each vector instruction gives for many operands is recorded in <c>golden/vector-results.txt</c>:
/// it must be the same on every CPU (DOTNET_EnableAVX512=0 and its kin make others of this one), relaxed instructions
/// included. <c>UPDATE_GOLDEN=1</c> rewrites the record.
/// </summary>
public sealed class VectorResultsTests
{
    const int Rounds = 200;

    static readonly ulong[] Odd =
    [
        0, ulong.MaxValue, 0x7F8000017F800001, 0x7FF0000000000001, 0x7FC0000A7FC0000B, 0x8000000080000000,
        0x8000000000000000, 0x3F8000004F800000, 0xCF0000004EFFFFFF, 0xFFC00001FF800001, 0x41E0000000000000,
        0xC1E0000000200000, 0x7F7F7F7F80808080, 0x7FF8000000000005, 0xFFF0000000000009, 0x0000000100000001,
    ];

    [Fact]
    public void Results_do_not_depend_on_the_CPU()
    {
        var rows = Instructions.All.ToArray().Where(row => row.HasSignature
            && row.Feature is WasmFeatures.Simd or WasmFeatures.RelaxedSimd
            && row.Immediate is ImmediateKind.Nothing or ImmediateKind.Lane
            && row.Parameters.Concat(row.Results).Contains(ValueType.V128)).ToArray();
        using var guest = Guest.FromWat($"(module {string.Concat(rows.Select(Function))})");

        var lines = rows.Select(row => $"{row.Name} {Digest(guest, row):x16}").ToArray();

        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(Record(), string.Join('\n', lines) + "\n");
        Assert.Equal(232, lines.Length);
        Assert.Equal(File.ReadAllLines(Record()), lines);
    }

    static string Function(Instruction row)
    {
        var lane = row.Immediate == ImmediateKind.Lane ? " 1" : "";
        var operands = string.Concat(row.Parameters.Select((_, i) => $"(local.get {i})"));
        return $"""
            (func (export "{row.Name}") (param {string.Join(' ', row.Parameters)}) (result {row.Results[0]})
              ({row.Name}{lane} {operands}))
            """;
    }

    static ulong Digest(Guest guest, Instruction row)
    {
        var random = new Random(5);
        var digest = 14695981039346656037;
        for (var round = 0; round < Rounds; round++)
        {
            var result = guest.Call(row.Name, [.. row.Parameters.Select(type => Operand(type, random))])[0].AsV128;
            var halves = WithoutPayload(row, result).AsUInt64();
            digest = Mixed(Mixed(digest, halves[0]), halves[1]);
        }
        return digest;
    }

    static ulong Mixed(ulong digest, ulong bits)
    {
        digest = (digest ^ bits) * 1099511628211;
        return digest ^ digest >> 29;
    }

    static Value Operand(ValueType type, Random random) => type == ValueType.V128
        ? Value.From(Vector128.Create(Half(random), Half(random)).AsByte())
        : Value.From((long)Half(random));

    static ulong Half(Random random) =>
        random.Next(3) == 0 ? (ulong)random.NextInt64() * 2 + 1 : Odd[random.Next(Odd.Length)];

    // Which NaN arithmetic gives may differ between kinds of CPU.
    static Vector128<byte> WithoutPayload(Instruction row, Vector128<byte> result)
    {
        if (row.Name.StartsWith("f64x2", StringComparison.Ordinal))
        {
            var doubles = result.AsDouble();
            return Vector128.ConditionalSelect(
                Vector128.Equals(doubles, doubles), doubles, Vector128.Create(double.NaN)).AsByte();
        }
        if (!row.Name.StartsWith("f32x4", StringComparison.Ordinal)) return result;
        var floats = result.AsSingle();
        return Vector128.ConditionalSelect(
            Vector128.Equals(floats, floats), floats, Vector128.Create(float.NaN)).AsByte();
    }

    static string Record([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "..", "golden", "vector-results.txt");
}
