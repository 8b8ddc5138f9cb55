using System.Globalization;
using System.Runtime.InteropServices;
using Millrace.Wasm.Runtime.Memories;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>These tests run when no other makes memories.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>The pages of a memory are its own, also where the address space was another's before.</summary>
[Collection("alone")]
public sealed class AddressRangeTests
{
    const int Page = Memory.PageBytes;

    [Fact]
    public void A_memory_shows_nothing_of_a_former_one()
    {
        using var engine = new Engine();
        foreach (var pages in (int[])[4, 1, 16, 0, 3, 16])
        {
            using var store = new Store(engine);
            var memory = new Memory(store, pages);
            Assert.Equal(pages, memory.Grow(2));
            var all = memory.Span(0, (uint)memory.ByteLength);

            Assert.Equal(-1, all.IndexOfAnyExcept((byte)0));
            all.Fill(0xA5);
        }
    }

    [SkippableTheory]
    [InlineData(40, 1)]
    [InlineData(1, 40)]
    [InlineData(3, 3)]
    [InlineData(3, 0)]
    public void A_range_used_again_holds_zeros_and_ends_where_its_new_memory_ends(int before, int after)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "address ranges are made on Linux only");
        var range = AddressRange.Reserve(1 << 20, 0)!;
        Assert.True(range.SetUsable((nuint)(before * Page)));
        for (var at = 0; at < before * Page; at += 1024) Marshal.WriteByte(range.Address, at, 0xA5);
        range.Release();

        var others = new List<AddressRange>();
        var again = AddressRange.Reserve(1 << 20, (nuint)(after * Page))!;
        while (again.Address != range.Address)
        {
            Assert.True(others.Count < 1000, "the range was not used again");
            others.Add(again);
            again = AddressRange.Reserve(1 << 20, (nuint)(after * Page))!;
        }

        Assert.True(again.SetUsable((nuint)(after * Page)));
        for (var at = 0; at < after * Page; at += 1024) Assert.Equal(0, Marshal.ReadByte(again.Address, at));
        if (after > 0) Assert.Equal("rw-p", Protection(again.Address + after * Page - 1));
        Assert.Equal("---p", Protection(again.Address + after * Page));
        Assert.Equal("---p", Protection(again.Address + unchecked((nint)(8L << 30))));
        again.Release();
        others.ForEach(other => other.Release());
    }

    static string Protection(nint address)
    {
        var line = File.ReadLines("/proc/self/maps").First(line =>
        {
            var ends = line[..line.IndexOf(' ', StringComparison.Ordinal)].Split('-');
            return nint.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) <= address
                && address < nint.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        });
        return line.Split(' ')[1];
    }
}
