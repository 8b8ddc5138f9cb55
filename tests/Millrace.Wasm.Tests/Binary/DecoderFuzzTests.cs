using System.Diagnostics;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Validation;
using static Millrace.Wasm.Tests.Binary.ModuleBytes;

namespace Millrace.Wasm.Tests.Binary;

public sealed class DecoderFuzzTests
{
    static readonly TimeSpan TimeCap = TimeSpan.FromSeconds(1);

    [Fact]
    public void Answers_any_mutation_of_a_module_with_its_two_exceptions()
    {
        var random = new Random(20_261);
        var seeds = new[] { DecoderTests.Rich(), Aggregates() };
        Hammer(() => Mutate(random, seeds[random.Next(seeds.Length)]));
    }

    [Fact]
    public void Answers_any_code_with_its_two_exceptions()
    {
        var random = new Random(20_262);
        Hammer(() => RandomFunction(random));
    }

    [Fact]
    public void Answers_any_bytes_with_its_two_exceptions()
    {
        var random = new Random(20_263);
        Hammer(() =>
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            return Module(bytes);
        });
    }

    static void Hammer(Func<byte[]> next)
    {
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 60_000 && clock.Elapsed < TimeCap; i++)
        {
            var bytes = next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var module = Decoder.Decode(bytes);
                Validator.Validate(module);
            }
            catch (Exception error) when (error is MalformedException or InvalidException)
            {
                continue;
            }
            catch (Exception error)
            {
                Assert.Fail($"{Convert.ToHexString(bytes)}: {error}");
            }
            // Bytes of host memory per byte of module, beyond what the buffers start with.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_500_000 + (200 * bytes.Length));
        }
    }

    static byte[] Mutate(Random random, byte[] seed)
    {
        var bytes = seed.ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(8, bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes.RemoveAt(at); break;
            }
        }
        return [.. bytes];
    }

    // Instructions of the table with small immediates: often malformed, sometimes valid for a long way.
    static byte[] RandomFunction(Random random)
    {
        var code = new List<byte>();
        for (var count = random.Next(1, 30); count > 0; count--)
        {
            var row = Instructions.All[random.Next(3) == 0 ? random.Next(Instructions.All.Length) : random.Next(60)];
            if ((int)row.Opcode < 0x100) code.Add((byte)row.Opcode);
            else code.AddRange([(byte)((int)row.Opcode >> 12), .. Leb((ulong)row.Opcode & 0xFFF)]);
            if (row.Immediate == ImmediateKind.Block) code.Add(random.Next(2) == 0 ? (byte)0x40 : (byte)random.Next(8));
            else if (row.Immediate != ImmediateKind.Nothing)
                for (var i = random.Next(1, 3); i > 0; i--) code.AddRange(SmallOrHuge(random));
        }
        return Module(
            TypesOfAggregates(), Section(FunctionSection, [0]), Section(TableSection, [0x70, 0, 1], [0x6E, 4, 1]),
            Section(MemorySection, [0, 1], [4, 1]), Section(TagSection, [0, 0]),
            Section(GlobalSection, [0x7F, 1, 0x41, 0, 0x0B]), RawSection(DataCountSection, 1),
            Section(CodeSection, BodyWithLocals([2, 2, 0x7F, 2, 0x64, 3], [.. code])), Section(DataSection, [1, 0]));
    }

    static byte[] SmallOrHuge(Random random) =>
        random.Next(12) == 0 ? [0xFF, 0xFF, 0xFF, 0xFF, 0x0F] : [(byte)random.Next(5)];

    static byte[] TypesOfAggregates() => Section(
        TypeSection, Type([], []), Type([0x7F], [0x7F]),
        [0x4E, 2, 0x50, 0, 0x5F, 1, 0x63, 3, 1, 0x50, 1, 2, 0x5F, 2, 0x63, 3, 1, 0x78, 0],
        [0x5E, 0x77, 1]);

    static byte[] Aggregates() => Module(
        TypesOfAggregates(),
        Section(FunctionSection, [0]),
        Section(GlobalSection, [0x64, 2, 0, 0xD0, 3, 0xFB, 0, 2, 0x0B]),
        Section(CodeSection, BodyWithLocals(
            [1, 1, 0x64, 2],
            0x23, 0, 0x21, 0, 0x20, 0, 0xFB, 2, 2, 0, 0xFB, 0x16, 3, 0x1A, // global.get; struct.get; ref.cast
            0x41, 1, 0xFB, 7, 4, 0x41, 0, 0xFB, 13, 4, 0x1A))); // array.new_default; array.get_u
}
