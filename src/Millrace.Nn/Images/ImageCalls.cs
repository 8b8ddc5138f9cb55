using System.Runtime.InteropServices;
using Millrace.Nn.Calls;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;

namespace Millrace.Nn.Images;

/// <summary>
/// WasmEdge's <c>wasmedge_image</c>: pictures decoded to a size. Its three functions are one: the bytes tell what they are.
/// </summary>
static class ImageCalls
{
    public const string Module = "wasmedge_image";

    const int Channels = 3;
    const int SideMax = 16384;
    const long PixelsMax = 64 << 20;

    // A picture's bytes are 2.2 on a curve of brightness; numbers of pictures are on a straight one.
    const double Gamma = 2.2;

    static readonly float[] Brightness = [.. Enumerable.Range(0, 256).Select(level => (float)Math.Pow(level / 255.0, Gamma))];

    // Three formats are enough for decoders to look at a stranger's bytes.
    static readonly Configuration Formats = new(new JpegConfigurationModule(), new PngConfigurationModule(), new BmpConfigurationModule())
    {
        MaxDegreeOfParallelism = 1,
    };

    public static readonly CallEntry[] Entries =
    [
        new(Module, "load_jpg", 7, Load) { IsBinary = true },
        new(Module, "load_png", 7, Load) { IsBinary = true },
        new(Module, "load_image", 7, Load) { IsBinary = true },
    ];

    static void Load(NnSession session, GuestMemory memory, Arguments arguments)
    {
        var (width, height, type) = (arguments[2], arguments[3], arguments[4]);
        if (width is 0 or > SideMax || height is 0 or > SideMax)
            throw new NnException(NnErrno.InvalidArgument, $"a picture of {width}x{height}; sides are 1 to {SideMax}");
        if (type > 3) throw new NnException(NnErrno.InvalidArgument, $"{type} is not one of 0 (RGB8), 1 (BGR8), 2 (RGB32F), 3 (BGR32F)");
        var isFloat = type >= 2;
        var length = (long)width * height * Channels * (isFloat ? sizeof(float) : 1);
        var target = memory.Bytes(arguments[5], arguments[6]);
        if (target.Length < length)
            throw new NnException(NnErrno.InvalidArgument, $"the buffer has {target.Length} bytes; the picture takes {length}");
        var pixels = new byte[length];
        var source = memory.Bytes(arguments[0], arguments[1]).ToArray();
        session.Compute(cancel => Convert(source, (int)width, (int)height, type, pixels, cancel));
        pixels.CopyTo(memory.Bytes(arguments[5], arguments[6]));
    }

    static void Convert(byte[] source, int width, int height, uint type, byte[] pixels, CancellationToken cancel)
    {
        using var image = Decode(source, cancel);
        var isFloat = type >= 2;
        var resize = new Resize(image.Width, image.Height, width, height);
        var line = new float[width * Channels];
        for (var y = 0; y < height; y++)
        {
            cancel.ThrowIfCancellationRequested();
            resize.Line(y, (row, into) => Read(image, row, isFloat, into), line);
            if (type is 1 or 3) for (var x = 0; x < line.Length; x += Channels) (line[x], line[x + 2]) = (line[x + 2], line[x]);
            if (isFloat)
            {
                line.CopyTo(MemoryMarshal.Cast<byte, float>(pixels.AsSpan())[(y * line.Length)..]);
                continue;
            }

            var bytes = pixels.AsSpan(y * line.Length, line.Length);
            for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)Math.Clamp(line[i] + 0.5f, 0, 255);
        }
    }

    static Image<Rgb24> Decode(byte[] source, CancellationToken cancel)
    {
        try
        {
            using var stream = new MemoryStream(source, writable: false);
            var facts = Image.Identify(Formats, stream)
                ?? throw new NnException(NnErrno.InvalidArgument, "the picture is neither JPEG, PNG nor BMP");
            if (facts.Width > SideMax || facts.Height > SideMax || (long)facts.Width * facts.Height > PixelsMax)
            {
                throw new NnException(NnErrno.InvalidArgument, $"the picture has {facts.Width}x{facts.Height} pixels; "
                    + $"the limit is {PixelsMax}, and {SideMax} a side");
            }

            stream.Position = 0;
            return Image.LoadAsync<Rgb24>(Formats, stream, cancel).GetAwaiter().GetResult();
        }
        catch (ImageFormatException e)
        {
            throw new NnException(NnErrno.InvalidArgument, $"the picture cannot be decoded: {e.Message}");
        }
    }

    static void Read(Image<Rgb24> image, int row, bool isFloat, float[] into)
    {
        var bytes = MemoryMarshal.AsBytes(image.Frames.RootFrame.PixelBuffer.DangerousGetRowSpan(row));
        for (var i = 0; i < bytes.Length; i++) into[i] = isFloat ? Brightness[bytes[i]] : bytes[i];
    }
}
