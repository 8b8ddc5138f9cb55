using System.Runtime.Intrinsics;
using System.Text;

namespace Millrace.Wasm.Tests.Compilation;

/// <summary>Shuffles whose code depends on their lanes, against what the lanes say.</summary>
public sealed class VectorShufflesTests
{
    const int Both = 0, Same = 1, Swizzle = 2;

    static readonly Vector128<byte> Left = Vector128<byte>.Indices + Vector128.Create((byte)0x10);
    static readonly Vector128<byte> Right = Vector128<byte>.Indices + Vector128.Create((byte)0xA0);

    [Theory]
    [InlineData(Both)]
    [InlineData(Same)]
    [InlineData(Swizzle)]
    public void A_shuffle_picks_the_lanes_that_it_names(int form)
    {
        var shuffles = Shuffles().ToArray();
        var text = new StringBuilder("(module");
        for (var i = 0; i < shuffles.Length; i++)
            text.Append($"""(func (export "{i}") (param v128 v128) (result v128) {Instruction(form, shuffles[i])})""");
        using var guest = Guest.FromWat(text.Append(')').ToString());

        for (var i = 0; i < shuffles.Length; i++)
        {
            var expected = Vector128.Create([.. shuffles[i].Select(lane => Expected(form, lane))]);

            var result = guest.Call($"{i}", Value.From(Left), Value.From(Right))[0].AsV128;

            Assert.True(expected == result, $"{Instruction(form, shuffles[i])} gave {result}, not {expected}");
        }
    }

    static string Instruction(int form, byte[] lanes)
    {
        var numbers = string.Join(' ', lanes);
        return form switch
        {
            Both => $"(i8x16.shuffle {numbers} (local.get 0) (local.get 1))",
            Same => $"(i8x16.shuffle {numbers} (local.get 1) (local.get 1))",
            _ => $"(i8x16.swizzle (local.get 0) (v128.const i8x16 {numbers}))",
        };
    }

    static byte Expected(int form, byte lane) => form switch
    {
        Both => lane < 16 ? Left[lane] : Right[lane - 16],
        Same => Right[lane % 16],
        _ => lane < 16 ? Left[lane] : (byte)0,
    };

    static IEnumerable<byte[]> Shuffles()
    {
        // Every window, and what is one lane off it.
        for (var first = 0; first <= 16; first++)
        {
            yield return Lanes(i => first + i);
            yield return Lanes(i => (first + i) % 16);
            yield return Lanes(i => (first + 16 + i) % 32);
            yield return Lanes(i => i == 15 ? first : first + i);
        }
        // By turns from both, in all widths, and the other way round.
        foreach (var width in (int[])[1, 2, 4, 8])
        {
            foreach (var first in (int[])[0, 8, 16, 24])
            {
                yield return Lanes(i => ((i / width % 2 * 16) ^ (first & 16)) + (first & 15)
                    + i / (2 * width) * width + i % width);
            }
            yield return Lanes(i => i / width % 2 * 16 + i);
            yield return Lanes(i => 16 - i / width % 2 * 16 + i);
            yield return Lanes(i => i / width * width + width - 1 - i % width);
            yield return Lanes(i => width + i % width);
        }
        // 32-bit lanes at random, then bytes.
        var random = new Random(7);
        for (var i = 0; i < 100; i++)
        {
            var quads = Enumerable.Range(0, 4).Select(_ => random.Next(8)).ToArray();
            yield return Lanes(lane => quads[lane / 4] * 4 + lane % 4);
            yield return Lanes(lane => (quads[lane / 4] % 4 + lane / 8 * 4) * 4 + lane % 4);
            yield return Lanes(lane => (quads[lane / 4] % 4 + 4 - lane / 8 * 4) * 4 + lane % 4);
            yield return Lanes(_ => random.Next(32));
        }
    }

    static byte[] Lanes(Func<int, int> lane) => [.. Enumerable.Range(0, 16).Select(i => (byte)(lane(i) % 32))];
}
