namespace Millrace.Wasm.Tests.Runtime;

public sealed class BulkMemoryTests
{
    const string Wat = """
        (module
          (memory (export "memory") 1 1)
          (func (export "fill") (param i32 i32 i32)
            (memory.fill (local.get 0) (local.get 1) (local.get 2))))
        """;

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(65536 - 80)]
    public void Fills_of_any_length_write_their_bytes_and_no_other(int before)
    {
        using var guest = Guest.FromWat(Wat);
        var memory = guest.Instance.FindMemory("memory")!;
        for (var length = 0; length <= 70; length++)
        {
            var expected = new byte[80];
            expected.AsSpan(5, length).Fill(0xab);
            memory.Span((uint)before, 80).Clear();

            guest.Call("fill", Value.From(before + 5), Value.From(0x7ab), Value.From(length));

            Assert.Equal(expected, memory.Span((uint)before, 80).ToArray());
        }
    }

    [Fact]
    public void Fills_up_to_the_end_of_memory_and_traps_behind_it_with_nothing_written()
    {
        using var guest = Guest.FromWat(Wat);
        var memory = guest.Instance.FindMemory("memory")!;
        for (var length = 1; length <= 70; length++)
        {
            var start = 65536 - length;
            memory.Span(0, 65536).Clear();

            guest.Call("fill", Value.From(start), Value.From(length), Value.From(length));
            var trap = guest.Traps("fill", Value.From(start), Value.From(0xff), Value.From(length + 1));

            Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, trap.Code);
            Assert.Equal(0, memory.Span((uint)start - 1, 1)[0]);
            Assert.Equal(Enumerable.Repeat((byte)length, length), memory.Span((uint)start, (uint)length).ToArray());
        }
    }
}
