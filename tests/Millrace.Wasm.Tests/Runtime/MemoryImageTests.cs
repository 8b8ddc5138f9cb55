using System.Runtime.CompilerServices;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Runtime.Memories;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>
/// Instances after the first begin with an image of their memory. Nobody can tell it from the copies of the
/// specification, and nothing of one instance reaches another.
/// </summary>
[Collection("alone")]
public sealed class MemoryImageTests
{
    const int Page = Memory.PageBytes;
    const string Name = "/memfd:wasm memory";

    // Data at both ends and overlapping in the middle; the code writes, traps, grows.
    const string Module = """
        (module
          (memory (export "memory") 3 8)
          (data (i32.const 5) "first")
          (data (i32.const 70000) "overwritten")
          (data (i32.add (i32.const 69990) (i32.const 14)) "OVER")
          (data (i32.const 196605) "end")
          (data $passive "passive")
          (func (export "spoil") (memory.fill (i32.const 0) (i32.const 0xA5) (i32.mul (memory.size) (i32.const 65536))))
          (func (export "spoil-and-trap")
            (memory.fill (i32.const 0) (i32.const 0xA5) (i32.const 196608)) unreachable)
          (func (export "grow") (result i32) (memory.grow (i32.const 5)))
          (func (export "init") (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7)))
          (func (export "init-active") (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))))
        """;

    static readonly byte[] Expected = Initial();

    [SkippableFact]
    public void A_memory_of_a_used_range_shows_nothing_of_its_last_owner()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        foreach (var use in (string[])["spoil", "grow then spoil", "spoil-and-trap", "spoil", "none", "grow", "spoil"])
        {
            using var store = new Store(engine);
            var instance = new Linker(engine).Instantiate(store, module);
            var memory = instance.FindMemory("memory")!;
            Assert.True(memory.Span(0, (uint)memory.ByteLength).SequenceEqual(Expected), $"before {use}");
            Use(instance, use);
            if (use is "grow") Assert.Equal(-1, memory.Span(3 * Page, 5 * Page).IndexOfAnyExcept((byte)0));
        }

        Assert.Equal((1, 48 * 4096, null), Counts(engine));
    }

    // Few written pages are written over in place, many go back to the system.
    [SkippableFact]
    public void A_memory_of_a_range_with_some_written_pages_shows_nothing_of_its_last_owner()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        var random = new Random(7);
        for (var round = 0; round < 60; round++)
        {
            using var store = new Store(engine);
            var instance = new Linker(engine).Instantiate(store, module);
            var memory = instance.FindMemory("memory")!;
            Assert.True(memory.Span(0, (uint)memory.ByteLength).SequenceEqual(Expected), $"before round {round}");
            if (round % 3 == 0) Use(instance, "grow");
            for (var pages = random.Next(24); pages > 0; pages--)
                memory.Span((ulong)random.NextInt64(memory.ByteLength - 4096), 1 + (uint)random.Next(4095)).Fill(0xA5);
        }
    }

    [SkippableFact]
    public void Written_pages_are_found()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/proc/self/pagemap"), "there is no /proc/self/pagemap");
        var page = (nuint)Environment.SystemPageSize;
        var range = AddressRange.Reserve(9UL << 30, 16 * page)!; // too large to have been used before
        Assert.True(range.SetUsable(16 * page));
        foreach (var written in (nuint[])[0, 1, 5, 15]) Write(range.Address + (nint)(written * page) + 9);
        var runs = new WrittenPages.Run[WrittenPages.RunsMax];

        Assert.True(WrittenPages.TryFind(range.Address, 16 * page, runs, out var count));

        Assert.Equal([new(0, 2 * page), new(5 * page, page), new(15 * page, page)], runs[..count]);
        range.Release();
    }

    static void Write(nint address) => System.Runtime.InteropServices.Marshal.WriteByte(address, 1);

    [SkippableFact]
    public void A_memory_without_image_shows_nothing_of_an_image_that_lay_there()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        for (var i = 0; i < 4; i++)
        {
            using var with = new Store(engine);
            Use(new Linker(engine).Instantiate(with, module), "spoil");
            using var without = new Store(engine);
            var memory = new Memory(without, 3);
            Assert.Equal(-1, memory.Span(0, 3 * Page).IndexOfAnyExcept((byte)0));
            memory.Span(0, 3 * Page).Fill(0x5A);
        }
    }

    [SkippableFact]
    public void Instances_never_see_what_others_write()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        using var store = new Store(engine);
        var linker = new Linker(engine);
        Memory[] memories = [.. Enumerable.Range(0, 6)
            .Select(_ => linker.Instantiate(store, module).FindMemory("memory")!)];

        for (var i = 0; i < memories.Length; i++) memories[i].Span(0, 3 * Page).Fill((byte)(i + 1));
        using var later = new Store(engine);

        for (var i = 0; i < memories.Length; i++)
            Assert.Equal(-1, memories[i].Span(0, 3 * Page).IndexOfAnyExcept((byte)(i + 1)));
        Assert.True(linker.Instantiate(later, module).FindMemory("memory")!.Span(0, 3 * Page).SequenceEqual(Expected));
    }

    [SkippableFact]
    public void An_image_cannot_be_written_or_resized()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "images are made on Linux only");
        Microsoft.Win32.SafeHandles.SafeFileHandle? file = null;
        var image = MemoryImage.Make(0, 4096, made => RandomAccess.Write(file = made, "x"u8, 0), PlatformFault.None);

        Assert.ThrowsAny<Exception>(() => RandomAccess.Write(file!, "y"u8, 0));
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(file!, 0));
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(file!, 8192));
        var read = new byte[1];
        RandomAccess.Read(file!, read, 0);
        Assert.Equal((byte)'x', read[0]);
        image.Close();
    }

    [SkippableFact]
    public void Segments_are_dropped_and_passive_ones_kept_as_without_image()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        for (var i = 0; i < 3; i++)
        {
            using var store = new Store(engine);
            var instance = new Linker(engine).Instantiate(store, module);
            var trap = Assert.Throws<TrapException>(() => instance.FindFunction("init-active")!.Call());
            Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, trap.Code);
            instance.FindFunction("init")!.Call();
            Assert.Equal("passive"u8.ToArray(), instance.FindMemory("memory")!.Span(0, 7).ToArray());
        }
    }

    [SkippableTheory]
    [InlineData("""(memory (export "m0") i64 1) (data (i64.const 10) "sixty-four")""", 0, 10, "sixty-four")]
    [InlineData("""(memory (export "m0") 1) (memory (export "m1") 2) (data (memory 1) (i32.const 70000) "second")""",
        1, 70000, "second")]
    [InlineData("""(memory (export "m0") 1 2 shared) (data (i32.const 10) "shared")""", 0, 10, "shared")]
    [InlineData("""(memory (export "m0") i64 1 400000) (data (i64.const 9) "large")""", 0, 9, "large")]
    public void Every_kind_of_memory_has_its_data_in_each_instance(string fields, int memory, int at, string text)
    {
        using var engine = LinuxEngine(new() { Features = WasmFeatures.All });
        var module = Compile(engine, $"(module {fields})");
        for (var i = 0; i < 4; i++)
        {
            using var store = new Store(engine, new() { MemoryBytesMax = 32L << 30 });
            var instance = new Linker(engine).Instantiate(store, module);
            var found = instance.FindMemory($"m{memory}")!;
            Assert.Equal(text, System.Text.Encoding.ASCII.GetString(found.Span((ulong)at, (uint)text.Length)));
            found.Span(0, (uint)found.ByteLength).Fill(0xA5);
        }
        Assert.Equal(1, engine.MemoryImages.Count);
    }

    // What was written before the trap can be seen: through the imported memory, or code left in an imported table.
    [SkippableFact]
    public void Segments_that_trap_half_way_leave_what_the_specification_says()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, """
            (module (import "host" "table" (table 2 funcref)) (memory 1)
              (elem (i32.const 0) $read) (func $read (result i32) (i32.load8_u (i32.const 0)))
              (data (i32.const 0) "a") (data (i32.const 65536) "trap") (data (i32.const 0) "b"))
            """);
        var late = Compile(engine, """
            (module (import "host" "table" (table 2 funcref)) (memory 1)
              (elem (i32.const 0) $read) (elem (i32.const 2) $read) (func $read (result i32) (i32.load8_u (i32.const 0)))
              (data (i32.const 0) "a"))
            """);
        for (var i = 0; i < 3; i++)
        {
            using var store = new Store(engine);
            var table = new Table(store, ValueType.FuncRef, 2);
            var linker = new Linker(engine);
            linker.Define("host", "table", table);
            Assert.Throws<TrapException>(() => linker.Instantiate(store, module));
            Assert.Equal('a', ((Function)table[0]!).Call()[0].AsI32);
            Assert.Throws<TrapException>(() => linker.Instantiate(store, late));
            Assert.Equal(0, ((Function)table[0]!).Call()[0].AsI32);
        }
        Assert.Equal((0, 0L, null), Counts(engine));
    }

    [SkippableFact]
    public void An_imported_memory_gets_the_segments_of_its_importer_although_it_has_an_image_of_its_own()
    {
        using var engine = LinuxEngine();
        var owner = Compile(engine, Module);
        var importer = Compile(engine, """(module (import "o" "memory" (memory 1)) (data (i32.const 5) "IMPORT"))""");
        for (var i = 0; i < 3; i++)
        {
            using var store = new Store(engine);
            var linker = new Linker(engine);
            var instance = linker.Instantiate(store, owner);
            linker.Define("o", instance);
            linker.Instantiate(store, importer);
            Assert.Equal("IMPORT"u8.ToArray(), instance.FindMemory("memory")!.Span(5, 6).ToArray());
        }
    }

    [SkippableFact]
    public void A_system_without_files_in_memory_copies_and_says_why()
    {
        using var engine = LinuxEngine(new() { PlatformFault = PlatformFault.RefusesMemoryFiles });
        AllInstancesAreRight(engine);

        Assert.Equal((0, 0L), (engine.MemoryImages.Count, engine.MemoryImages.Bytes));
        Assert.Contains("memfd_create: Invalid argument", engine.MemoryImages.Refusal, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Images_beyond_the_limit_are_copied_and_the_limit_named()
    {
        using var engine = LinuxEngine(new() { MemoryImageBytesMax = 48 * 4096 - 1 });
        AllInstancesAreRight(engine);

        Assert.Equal(0, engine.MemoryImages.Count);
        Assert.Contains("MemoryImageBytesMax", engine.MemoryImages.Refusal, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Segments_far_apart_are_copied()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, """(module (memory 1000) (data (i32.const 0) "a") (data (i32.const 60000000) "b"))""");
        for (var i = 0; i < 3; i++)
        {
            using var store = new Store(engine);
            new Linker(engine).Instantiate(store, module);
        }

        Assert.Equal((0, 0L, "its data segments lie too far apart"), Counts(engine));
    }

    [SkippableFact]
    public void Ten_thousand_instances_leave_neither_mappings_nor_files()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        var linker = new Linker(engine);
        Make(200);
        var (files, mappings) = (FileCount(), MappingCount());

        Make(10_000);

        Assert.InRange(FileCount(), 0, files);
        Assert.InRange(MappingCount(), 0, mappings + 1);

        void Make(int count)
        {
            for (var i = 0; i < count; i++)
            {
                using var store = new Store(engine);
                Use(linker.Instantiate(store, module), (i % 97) switch { 0 => "grow", 1 => "spoil-and-trap", _ => "none" });
            }
        }
    }

    [SkippableFact]
    public void No_more_ranges_wait_than_there_are_places()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        var stores = new List<Store>();
        for (var i = 0; i < 4 * RangePool.WaitingMax; i++)
        {
            stores.Add(new Store(engine));
            new Linker(engine).Instantiate(stores[i], module);
        }
        Assert.InRange(MappingCount(), 4 * RangePool.WaitingMax - 1, int.MaxValue); // the first one copied

        foreach (var store in stores) store.Dispose();

        Assert.InRange(MappingCount(), 1, RangePool.WaitingMax);
    }

    [SkippableFact]
    public void Images_go_with_their_modules()
    {
        using var engine = LinuxEngine();
        var files = FileCount();
        for (var i = 0; i < 40; i++) AllInstancesAreRight(engine);

        for (var i = 0; i < 20 && engine.MemoryImages.Count > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal((0, 0L, null), Counts(engine));
        Assert.InRange(FileCount(), 0, files);
    }

    [SkippableFact]
    public void Threads_that_make_instances_of_one_module_get_ranges_of_their_own()
    {
        using var engine = LinuxEngine();
        var module = Compile(engine, Module);
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, mark =>
        {
            for (var i = 0; i < 300; i++)
            {
                using var store = new Store(engine);
                var memory = new Linker(engine).Instantiate(store, module).FindMemory("memory")!;
                var all = memory.Span(0, 3 * Page);
                Assert.True(all.SequenceEqual(Expected));
                all.Fill((byte)(mark + 1));
                if (i % 16 == 0) Thread.Yield();
                Assert.Equal(-1, all.IndexOfAnyExcept((byte)(mark + 1)));
            }
        });
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // nothing of it may stay on the stack of the test
    static void AllInstancesAreRight(Engine engine)
    {
        var module = Compile(engine, Module);
        for (var i = 0; i < 3; i++)
        {
            using var store = new Store(engine);
            var memory = new Linker(engine).Instantiate(store, module).FindMemory("memory")!;
            Assert.True(memory.Span(0, 3 * Page).SequenceEqual(Expected));
        }
    }

    static void Use(Instance instance, string use)
    {
        if (use.StartsWith("grow", StringComparison.Ordinal))
            Assert.Equal(3, instance.FindFunction("grow")!.Call()[0].AsI32);
        if (use.EndsWith("spoil", StringComparison.Ordinal)) instance.FindFunction("spoil")!.Call();
        if (use == "spoil-and-trap")
            Assert.Throws<TrapException>(() => instance.FindFunction("spoil-and-trap")!.Call());
    }

    static (int, long, string?) Counts(Engine engine) =>
        (engine.MemoryImages.Count, engine.MemoryImages.Bytes, engine.MemoryImages.Refusal);

    static byte[] Initial()
    {
        var bytes = new byte[3 * Page];
        "first"u8.CopyTo(bytes.AsSpan(5));
        "overwritten"u8.CopyTo(bytes.AsSpan(70000));
        "OVER"u8.CopyTo(bytes.AsSpan(70004));
        "end"u8.CopyTo(bytes.AsSpan(196605));
        return bytes;
    }

    static Engine LinuxEngine(EngineOptions? options = null)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "images are made on Linux only");
        return new Engine(options);
    }

    static Module Compile(Engine engine, string text) => Wasm.Module.Compile(engine, WatText.ToBinary(text));

    static int FileCount() => new DirectoryInfo("/proc/self/fd").GetFiles().Count(IsImage);

    static int MappingCount() =>
        File.ReadLines("/proc/self/maps").Count(line => line.Contains(Name, StringComparison.Ordinal));

    // One that was closed in between has no target any more.
    static bool IsImage(FileInfo file) => file.LinkTarget?.Contains(Name, StringComparison.Ordinal) == true;
}
