using System.Text.RegularExpressions;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Binary;

public sealed class InstructionsTests
{
    // Spellings that two instructions share.
    static readonly Dictionary<Opcode, string> Shared = new()
    {
        [Opcode.SelectTyped] = "select",
        [Opcode.RefTestNull] = "ref.test",
        [Opcode.RefCastNull] = "ref.cast",
    };

    [Fact]
    public void Has_a_row_for_every_opcode_and_finds_it_by_number()
    {
        Assert.Equal(Enum.GetValues<Opcode>().Length, Instructions.All.Length);
        foreach (var row in Instructions.All)
        {
            Assert.True(Enum.IsDefined(row.Opcode), row.Name);
            Assert.Same(row, Instructions.Of(row.Opcode));
            Assert.Same(row, Instructions.Find((uint)row.Opcode >> 12, (uint)row.Opcode & 0xFFF));
        }
    }

    [Fact]
    public void Names_opcodes_by_their_spelling_in_Pascal_case()
    {
        foreach (var row in Instructions.All)
        {
            var words = row.Name.Split('.', '_');
            var pascal = string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
            if (Shared.TryGetValue(row.Opcode, out var spelling)) Assert.Equal(spelling, row.Name);
            else Assert.Equal(row.Opcode.ToString(), pascal);
        }
    }

    [Fact]
    public void Finds_the_smallest_opcode_of_a_spelling()
    {
        Assert.Equal(Opcode.Select, Instructions.Find("select")?.Opcode);
        Assert.Equal(Opcode.RefTest, Instructions.Find("ref.test")?.Opcode);
        Assert.Equal(Opcode.I32TruncSatF32S, Instructions.Find("i32.trunc_sat_f32_s")?.Opcode);
        Assert.Null(Instructions.Find("i32.nothing"));
        Assert.Null(Instructions.Find(0xFD, 0x9A));
    }

    [Fact]
    public void Gives_memory_accesses_the_size_that_their_name_tells()
    {
        foreach (var row in Instructions.All)
        {
            if (!row.IsMemoryAccess || row.Opcode == Opcode.MemoryAtomicNotify) continue;

            Assert.Equal(AccessBits(row.Name), row.AccessBytes * 8);
            Assert.Equal(ValueType.I32, row.Parameters[0]);
        }
    }

    // v128.load8x8_s reads eight times eight bits; i64.load32_u and i64.atomic.rmw32.add_u say 32; i64.load says 64.
    static int AccessBits(string name)
    {
        if (Regex.Match(name, @"load(\d+)x(\d+)") is { Success: true } pairs)
            return int.Parse(pairs.Groups[1].Value) * int.Parse(pairs.Groups[2].Value);
        if (Regex.Match(name, @"(?:load|store|rmw|wait)(\d+)") is { Success: true } sized)
            return int.Parse(sized.Groups[1].Value);
        return int.Parse(Regex.Match(name, @"^[ifv](\d+)\.").Groups[1].Value);
    }

    [Fact]
    public void Gives_numeric_instructions_results_that_fit_their_prefix()
    {
        string[] tests = ["eq", "ne", "lt", "gt", "le", "ge", "eqz"];
        foreach (var row in Instructions.All)
        {
            if (Regex.Match(row.Name, @"^([if](?:32|64))\.([a-z]+)") is not { Success: true } match) continue;
            if (match.Groups[2].Value is "store" or "atomic") continue;
            var isTest = tests.Contains(match.Groups[2].Value);

            Assert.Equal(isTest ? "i32" : match.Groups[1].Value, Assert.Single(row.Results).ToString());
        }
    }

    [Fact]
    public void Reads_every_instruction_with_its_immediates_and_stops_behind_it()
    {
        foreach (var row in Instructions.All)
        {
            byte[] code = [.. Encoding(row.Opcode), .. Immediates(row.Immediate)];
            var reader = new InstructionReader(code, new CodeRange(0, code.Length));

            Assert.True(reader.Read());

            Assert.Same(row, reader.Row);
            Assert.Equal(code.Length, reader.Position);
            Assert.False(reader.Read());
        }
    }

    [Fact]
    public void Reports_every_instruction_that_is_cut_short()
    {
        foreach (var row in Instructions.All)
        {
            byte[] code = [.. Encoding(row.Opcode), .. Immediates(row.Immediate)];
            for (var length = 1; length < code.Length; length++)
            {
                var error = Assert.Throws<MalformedException>(() => ReadOne(code[..length]));

                Assert.StartsWith("unexpected end", error.Reason);
            }
        }
    }

    [Fact]
    public void Reads_immediates_into_their_places()
    {
        var load = ReadOne([0x28, 0x42, 0x03, 0x80, 0x80, 0x80, 0x80, 0x10]);
        Assert.Equal((2, 3, 1UL << 32), (load.AlignmentLog2, load.Index, load.MemoryOffset));

        var constant = ReadOne([0x42, 0x7F]);
        Assert.Equal(-1L, constant.I64);

        var table = ReadOne([0x0E, 2, 5, 6, 7]);
        Assert.Equal("5 6 7", string.Join(' ', table.Labels));

        var cast = ReadOne([0xFB, 24, 1, 9, 0x6E, 0x05]);
        Assert.Equal((9, "(ref null any)", "(ref 5)"), (cast.Index, $"{cast.From}", $"{cast.Reference}"));

        var attempt = ReadOne([0x1F, 0x40, 2, 0, 4, 5, 3, 6]);
        Assert.Equal("CatchClause { Kind = Tag, TagIndex = 4, Label = 5 }", attempt.Clauses[0]);
        Assert.Equal("CatchClause { Kind = AllAndReference, TagIndex = -1, Label = 6 }", attempt.Clauses[1]);
    }

    sealed record Seen(
        int AlignmentLog2, int Index, ulong MemoryOffset, long I64, int[] Labels, ValueType From, ValueType Reference,
        string[] Clauses);

    static Seen ReadOne(byte[] code)
    {
        var reader = new InstructionReader(code, new CodeRange(0, code.Length));
        reader.Read();
        var clauses = reader.Catches.ToArray().Select(clause => clause.ToString()).ToArray();
        return new Seen(reader.AlignmentLog2, reader.Index, reader.MemoryOffset, reader.I64, reader.Labels.ToArray(),
            reader.CastFrom, reader.Reference, clauses);
    }

    static byte[] Encoding(Opcode opcode) => (int)opcode < 0x100
        ? [(byte)opcode]
        : [(byte)((int)opcode >> 12), .. ModuleBytes.Leb((ulong)opcode & 0xFFF)];

    static byte[] Immediates(ImmediateKind kind) => kind switch
    {
        ImmediateKind.Nothing => [],
        ImmediateKind.Block => [0x40],
        ImmediateKind.TryBlock => [0x7F, 1, 1, 3, 4],
        ImmediateKind.LabelTable => [2, 0, 1, 2],
        ImmediateKind.I32 => [0x80, 0x80, 0x7C],
        ImmediateKind.I64 => [0xFF, 0x7E],
        ImmediateKind.F32 => [1, 2, 3, 4],
        ImmediateKind.F64 => [1, 2, 3, 4, 5, 6, 7, 8],
        ImmediateKind.V128 or ImmediateKind.Shuffle => new byte[16],
        ImmediateKind.MemoryAccess => [0, 0],
        ImmediateKind.MemoryAccessLane => [0x40, 1, 0, 0],
        ImmediateKind.Lane or ImmediateKind.Fence => [0],
        ImmediateKind.HeapType => [0x70],
        ImmediateKind.SelectTypes => [1, 0x7F],
        ImmediateKind.CastBranch => [3, 0, 0x6E, 0x6D],
        ImmediateKind.CallIndirect or ImmediateKind.MemoryInit or ImmediateKind.MemoryCopy
            or ImmediateKind.TableInit or ImmediateKind.TableCopy or ImmediateKind.StructField
            or ImmediateKind.TypeAndCount or ImmediateKind.TypeAndData or ImmediateKind.TypeAndElement
            or ImmediateKind.TypeAndType => [1, 2],
        _ => [0x81, 0x01],
    };
}
