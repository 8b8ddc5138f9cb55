using System.Runtime.InteropServices;
using Millrace.Nn.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Millrace.Nn.Tests;

/// <summary><c>wasmedge_image</c>, and <c>wasi:logging</c> beside it.</summary>
public sealed class ImageTests : IDisposable
{
    const uint Target = 16384;

    readonly Guest _guest = new(new());

    public void Dispose() => _guest.Dispose();

    static byte[] Picture(int width, int height, Func<int, int, Rgb24> color, Action<Image<Rgb24>, Stream> save)
    {
        using var image = new Image<Rgb24>(width, height);
        for (var y = 0; y < height; y++) for (var x = 0; x < width; x++) image[x, y] = color(x, y);
        using var stream = new MemoryStream();
        save(image, stream);
        return stream.ToArray();
    }

    static byte[] Png(int width, int height, Func<int, int, Rgb24> color) =>
        Picture(width, height, color, (image, stream) => image.SaveAsPng(stream));

    NnErrno Load(string call, byte[] picture, uint width, uint height, uint type, uint room)
    {
        var (at, length) = _guest.Put(picture);
        return _guest.Call(call, at, length, width, height, type, Target, room);
    }

    Span<byte> Pixels(uint length) => _guest.Memory.Span(Target, length);

    [Theory]
    [InlineData("load_jpg")]
    [InlineData("load_png")]
    [InlineData("load_image")]
    public void A_picture_becomes_pixels_whatever_it_was_called(string call)
    {
        var png = Png(2, 1, (x, _) => x == 0 ? new(10, 20, 30) : new(200, 100, 0));

        Assert.Equal(NnErrno.Success, Load(call, png, 2, 1, 0, 6));
        Assert.Equal([10, 20, 30, 200, 100, 0], Pixels(6).ToArray());
        Assert.Equal(NnErrno.Success, Load(call, png, 2, 1, 1, 6));
        Assert.Equal([30, 20, 10, 0, 100, 200], Pixels(6).ToArray());
    }

    [Fact]
    public void Numbers_are_of_brightness_and_not_of_bytes()
    {
        Assert.Equal(NnErrno.Success, Load("load_png", Png(1, 1, (_, _) => new(255, 128, 0)), 1, 1, 3, 12));

        var numbers = MemoryMarshal.Cast<byte, float>(Pixels(12));
        Assert.Equal([0, MathF.Pow(128 / 255f, 2.2f), 1], numbers.ToArray().Select(number => MathF.Round(number, 5)), Close);
    }

    [Fact]
    public void A_JPEG_and_a_BMP_are_decoded_too()
    {
        var jpeg = Picture(16, 16, (_, _) => new(200, 100, 50), (image, stream) => image.SaveAsJpeg(stream));
        var bmp = Picture(16, 16, (_, _) => new(200, 100, 50), (image, stream) => image.SaveAsBmp(stream));

        foreach (var picture in new[] { jpeg, bmp })
        {
            Assert.Equal(NnErrno.Success, Load("load_jpg", picture, 4, 4, 0, 48));
            Assert.All(Pixels(48).ToArray().Chunk(3), pixel =>
            {
                Assert.InRange(pixel[0], 196, 204);
                Assert.InRange(pixel[1], 96, 104);
                Assert.InRange(pixel[2], 46, 54);
            });
        }
    }

    // By hand, from the filters' definitions.
    [Theory]
    [InlineData(2, 4, new[] { 0f, 100 }, new[] { -7.03125f, 20.3125f, 79.6875f, 107.03125f })] // Catmull-Rom
    [InlineData(4, 2, new[] { 0f, 0, 100, 100 }, new[] { 10.89410f, 89.10590f })] // Mitchell
    [InlineData(3, 3, new[] { 7f, 0, 9 }, new[] { 7f, 0, 9 })]
    public void Sizes_change_by_the_filters_of_stb(int from, int to, float[] numbers, float[] expected)
    {
        var line = new float[to * 3];

        new Resize(from, 1, to, 1).Line(
            0, (_, into) => { for (var i = 0; i < into.Length; i++) into[i] = numbers[i / 3]; }, line);

        Assert.Equal(expected, line.Chunk(3).Select(pixel => pixel[1]), (a, b) => MathF.Abs(a - b) < 0.01);
    }

    [Fact]
    public void A_slope_stays_one_in_another_size()
    {
        var slope = Png(64, 48, (x, y) => new((byte)(x * 4), (byte)(y * 5), 0));

        Assert.Equal(NnErrno.Success, Load("load_png", slope, 32, 24, 0, 32 * 24 * 3));

        var pixels = Pixels(32 * 24 * 3);
        for (var y = 2; y < 22; y++)
        {
            for (var x = 2; x < 30; x++)
            {
                Assert.InRange(pixels[(y * 32 + x) * 3], x * 8 + 1, x * 8 + 3);
                Assert.InRange(pixels[(y * 32 + x) * 3 + 1], y * 10 + 1, y * 10 + 4);
            }
        }
    }

    [Theory]
    [InlineData(0, 1, 0, 6, "sides are 1 to")]
    [InlineData(100_000, 1, 0, 6, "sides are 1 to")]
    [InlineData(2, 1, 4, 6, "4 is not one of 0 (RGB8)")]
    [InlineData(2, 1, 0, 5, "the picture takes 6")]
    [InlineData(2, 1, 2, 23, "the picture takes 24")]
    [InlineData(2, 1, 0, 0xffff_ffff, "outside the guest's memory")]
    public void What_does_not_fit_answers_1(uint width, uint height, uint type, uint room, string expected)
    {
        Assert.Equal((NnErrno)1, Load("load_png", Png(2, 1, (_, _) => default), width, height, type, room));
        Assert.Contains(expected, _guest.Log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_picture_answer_1()
    {
        Assert.Equal((NnErrno)1, Load("load_jpg", "hello"u8.ToArray(), 2, 1, 0, 6));
        Assert.Equal((NnErrno)1, Load("load_jpg", [], 2, 1, 0, 6));
        Assert.Equal(2, _guest.Log.Count);
    }

    [Fact]
    public void A_picture_with_a_side_without_end_answers_1()
    {
        Assert.Equal((NnErrno)1, Load("load_png", Png(20_000, 1, (_, _) => default), 2, 1, 0, 6));
        Assert.Contains("16384 a side", _guest.Log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_pictures_answer_1_or_pixels_and_nothing_else()
    {
        var chance = new Random(11);
        var whole = new[]
        {
            Picture(16, 16, (x, y) => new((byte)(x * y), (byte)x, 50), (image, stream) => image.SaveAsJpeg(stream)),
            Png(16, 16, (x, y) => new((byte)(x * y), (byte)x, 50)),
        };
        var (at, _) = _guest.Put(new byte[4096]);

        for (var i = 0; i < 400; i++)
        {
            var damaged = whole[i % 2].ToArray();
            for (var times = chance.Next(1, 6); times > 0; times--) damaged[chance.Next(damaged.Length)] = (byte)chance.Next(256);
            damaged.CopyTo(_guest.Memory.Span(at, 4096));
            var length = (uint)(chance.Next(3) == 0 ? chance.Next(damaged.Length) : damaged.Length);
            Assert.InRange((int)_guest.Call("load_image", at, length, 8, 8, 0, Target, 192), 0, 1);
        }
    }

    [Fact]
    public void The_guests_own_lines_go_to_the_hosts_log()
    {
        _guest.Say(2, "stdout", "ready");
        _guest.Say(4, "/etc/passwd", "\e[2Jgone");

        Assert.Equal(["info: ready", "error: /etc/passwd: ?[2Jgone"], _guest.Log);
        Assert.Equal(
            Wasm.TrapCode.OutOfBoundsMemoryAccess,
            Assert.Throws<Wasm.TrapException>(() => _guest.Say(0, 0xffff_fff0, 32, 0, 0)).Code);
    }

    [Fact]
    public void No_line_of_the_guests_becomes_two_and_lines_without_end_are_dropped()
    {
        _guest.Say(2, "stdout", "ready\nwasi_ephemeral_nn.load: a forged line");
        for (var i = 0; i < 100_002; i++) _guest.Say(2, 0, 0, 0, 0);

        Assert.Equal("info: ready wasi_ephemeral_nn.load: a forged line", _guest.Log[0]);
        Assert.Equal((100_001, true), (_guest.Log.Count, _guest.Log[^1].EndsWith("are dropped", StringComparison.Ordinal)));
    }

    static bool Close(float a, float b) => MathF.Abs(a - b) < 0.001;
}
