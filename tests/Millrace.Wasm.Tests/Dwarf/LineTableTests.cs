using System.Diagnostics;
using System.Runtime.CompilerServices;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Dwarf;
using static Millrace.Wasm.Tests.Dwarf.LineSection;

namespace Millrace.Wasm.Tests.Dwarf;

public sealed class LineTableTests
{
    // Two folders and two files, their texts of three forms: a string, .debug_str and .debug_line_str.
    static readonly byte[] Tables =
    [
        1, 1, 0x1F, 2, .. Fixed(0), .. Fixed(6),
        3, 1, 0x0E, 2, 0x0B, 5, 0x1E, 2,
        .. Fixed(5), 0, .. new byte[16],
        .. Fixed(0), 1, .. new byte[16],
    ];

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Runs_a_program_of_the_old_form(int version)
    {
        var lines = LineTable.Read(Module(Unit(
            version, Address(10), Special(0, 4), Special(3, 2), [3, 100], Special(1, 0), [3, 0xE4, 0, 4, 2], Special(4, -5), End(2))));

        Assert.Null(lines.Find(9));
        Assert.Equal(new SourceLine("a.c", 5), lines.Find(10));
        Assert.Equal(new SourceLine("a.c", 5), lines.Find(12));
        Assert.Equal(new SourceLine("a.c", 7), lines.Find(13));
        Assert.Null(lines.Find(14)); // line 7 − 28 is none
        Assert.Equal(new SourceLine("lib/b.c", 74), lines.Find(18));
        Assert.Null(lines.Find(20));
    }

    [Fact]
    public void Runs_every_opcode_that_moves_the_address()
    {
        var lines = LineTable.Read(Module(Unit(
            4, Address(10), [1], [2, 5], [3, 1], [1], [8], [3, 1], [1], [9, 0, 1], [3, 1], [1], [4, 2, 3, 1, 1],
            End(7))));

        Assert.Equal(1, lines.Find(14)!.Value.Line);
        Assert.Equal(2, lines.Find(15)!.Value.Line);
        Assert.Equal(2, lines.Find(31)!.Value.Line);
        Assert.Equal(3, lines.Find(32)!.Value.Line); // const_add_pc: (255 − 13) / 14 = 17
        Assert.Equal(3, lines.Find(287)!.Value.Line);
        Assert.Equal(new SourceLine("lib/b.c", 5), lines.Find(288));
        Assert.Equal(5, lines.Find(294)!.Value.Line);
        Assert.Null(lines.Find(295));
    }

    [Fact]
    public void Runs_a_program_of_version_5_with_texts_of_each_form()
    {
        var lines = LineTable.Read(Module(Unit5(
            Tables, Address(1), [4, 0], Special(0, 1), [4, 1], Special(1, 1), [4, 2], Special(1, 1), End(1))));

        Assert.Equal(new SourceLine("/code/of .debug_str", 2), lines.Find(1));
        Assert.Equal(new SourceLine("/code/of .debug_line_str/zero", 3), lines.Find(2));
        Assert.Null(lines.Find(3)); // a file that is not there
    }

    [Fact]
    public void Finds_lines_in_sequences_of_any_order_and_skips_those_left_out()
    {
        var lines = LineTable.Read(Module(
            Unit(4, Address(100), Special(0, 1), End(10), Address(0), Special(0, 2), End(1000)),
            Unit(4, Address(50), Special(0, 3), End(10), Address(uint.MaxValue), Special(0, 4), End(10)),
            Unit(4, Address(60), Special(0, 5), Address(55), Special(0, 1), End(10)),
            Unit(4, Address(70), Special(0, 6)))); // never ends

        Assert.Equal(2, lines.Find(109)!.Value.Line);
        Assert.Equal(4, lines.Find(50)!.Value.Line);
        foreach (var address in (int[])[0, 5, 49, 60, 62, 70, 75, 110, int.MaxValue, -1]) Assert.Null(lines.Find(address));
    }

    [Fact]
    public void Keeps_what_came_before_a_malformed_unit()
    {
        byte[] good = Unit(4, Address(10), Special(0, 1), End(10));

        var lines = LineTable.Read(Module(good, Unit(4, Header(4, [0, 0], range: 0), [Special(0, 1)]), good));

        Assert.Equal(2, lines.Find(10)!.Value.Line);
    }

    [Fact]
    public void Skips_a_unit_of_an_unknown_version()
    {
        var lines = LineTable.Read(Module(Unit(6), Unit(4, Address(10), Special(0, 1), End(10))));

        Assert.Equal(2, lines.Find(10)!.Value.Line);
    }

    [Fact]
    public void Refuses_entries_that_take_no_bytes()
    {
        byte[] tables = [0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0];

        Assert.Null(LineTable.Read(Module(Unit5(tables, Address(10), Special(0, 1), End(10)))).Find(10));
    }

    [Fact]
    public void Bounds_rows_and_files_and_reads_no_text_that_is_too_long_for_a_path()
    {
        byte[] rows = [.. Enumerable.Repeat(Special(1, 1)[0], LineTable.RowsMax + 100)];
        byte[] files = [0, .. Enumerable.Repeat(Strings("f").Concat(new byte[3]), LineTable.FilesMax + 1)
            .SelectMany(file => file), 0];
        byte[] longName = [0, .. Strings(new string('x', 2000)), 0, 0, 0, 0];

        var lines = LineTable.Read(Module(Unit(4, Address(10), rows, End(1))));
        Assert.Null(lines.Find(10));
        Assert.Null(LineTable.Read(Module(Unit(4, Header(4, files), [Address(9), Special(0, 1), End(1)]))).Find(9));
        Assert.Null(LineTable.Read(Module(Unit(4, Header(4, longName), [Address(9), Special(0, 1), End(1)]))).Find(9));
    }

    [Fact]
    public void Shows_no_control_characters_of_a_path()
    {
        byte[] files = [0, .. Strings("a\u001b[2Jb\n.c"), 0, 0, 0, 0];

        var line = LineTable.Read(Module(Unit(4, Header(4, files), [Address(9), Special(0, 1), End(1)]))).Find(9);

        Assert.Equal("a?[2Jb?.c", line!.Value.File);
    }

    [Theory]
    [InlineData("crash-rust-4.wasm", 0x07, "crash.rs", 17)]
    [InlineData("crash-rust-5.wasm", 0x07, "/src/crash.rs", 17)]
    [InlineData("crash-rust-5.wasm", 0x31, "/src/crash.rs", 24)]
    [InlineData("crash-rust-5.wasm", 0x25, "/rust/library/core/src/cmp.rs", 1915)]
    [InlineData("crash-c.wasm", 0x13, "/src/crash.c", 16)]
    public void Reads_what_compilers_write(string file, int address, string path, int line)
    {
        var module = Decoder.Decode(File.ReadAllBytes(Golden(file)));

        Assert.Equal(new SourceLine(path, line), module.Lines.Find(address));
    }

    [Fact]
    public void Has_no_lines_where_the_module_has_none()
    {
        var module = Decoder.Decode(Millrace.Wasm.Tests.Binary.ModuleBytes.Module());

        Assert.False(LineTable.IsIn(module));
        Assert.Null(module.Lines.Find(0));
    }

    [Fact]
    public void Answers_any_mutation_of_the_tables_without_an_exception()
    {
        var random = new Random(20_264);
        byte[][] seeds =
        [
            Unit5(Tables, Address(1), [4, 0], Special(0, 1), [4, 1], Special(1, 1), End(1)),
            Unit(4, Address(10), [1], [2, 5], [3, 1], [1], [8], [9, 0, 1], [4, 2, 3, 1, 1], End(7)),
            Content("crash-rust-5.wasm"), Content("crash-c.wasm"),
        ];
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 60_000 && clock.ElapsedMilliseconds < 1500; i++)
        {
            var section = Mutate(random, seeds[i % seeds.Length]);
            var module = Decoder.Decode(ModuleBytesOf(section));
            var before = GC.GetAllocatedBytesForCurrentThread();

            var lines = LineTable.Read(module);
            for (var address = 0; address < 64; address++) lines.Find(address);

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000 + (200 * section.Length));
        }
    }

    static byte[] Mutate(Random random, byte[] seed)
    {
        var bytes = seed.ToList();
        for (var changes = random.Next(1, 5); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                case 3: bytes[at] = 0xFF; break;
                default: bytes.RemoveAt(at); break;
            }
        }
        return [.. bytes];
    }

    static byte[] Content(string file)
    {
        var module = Decoder.Decode(File.ReadAllBytes(Golden(file)));
        var section = module.CustomSections.Single(section => section.Name == LineTable.SectionName).Content;
        return module.Bytes[section.Start..section.End].ToArray();
    }

    internal static string Golden(string file, [CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "..", "golden", "dwarf", file);
}
