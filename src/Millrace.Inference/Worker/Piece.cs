using System.Buffers.Binary;
using System.Text;

namespace Millrace.Inference.Worker;

/// <summary>
/// What is sent for every token: i64 request, u8 form, then a text's bytes. As JSON it would cost both sides more than
/// the choice of the token.
/// </summary>
static class Piece
{
    const int LengthsBytes = 8;
    const int HeadBytes = 9;

    enum Form : byte
    {
        Text,
        Raw,
        RawEnd,
    }

    /// <summary>The frame with its lengths; null where it says more than a piece can.</summary>
    public static byte[]? TryWrite(Frame frame)
    {
        if (frame.Kind != FrameKind.Part) return null;
        if (frame.Part is { End: null, Tokens.IsEmpty: true } part)
        {
            var bytes = Begin(frame.Id, Form.Text, Encoding.UTF8.GetByteCount(part.Text));
            Encoding.UTF8.GetBytes(part.Text, bytes.AsSpan(LengthsBytes + HeadBytes));
            return bytes;
        }

        if (frame.Part is not null) return null;
        var raw = Begin(frame.Id, frame.IsRaw == true ? Form.RawEnd : Form.Raw, frame.Body.Length);
        frame.Body.Span.CopyTo(raw.AsSpan(LengthsBytes + HeadBytes));
        return raw;
    }

    static byte[] Begin(long id, Form form, int length)
    {
        var bytes = new byte[LengthsBytes + HeadBytes + length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), HeadBytes + length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(LengthsBytes), id);
        bytes[LengthsBytes + sizeof(long)] = (byte)form;
        return bytes;
    }

    /// <exception cref="InvalidDataException">The bytes are no piece.</exception>
    public static Frame Read(byte[] bytes)
    {
        if (bytes.Length < HeadBytes || bytes[sizeof(long)] > (byte)Form.RawEnd)
            throw new InvalidDataException("a frame without a head that is no piece");
        var frame = new Frame(FrameKind.Part, BinaryPrimitives.ReadInt64LittleEndian(bytes));
        var form = (Form)bytes[sizeof(long)];
        return form == Form.Text ? frame with { Part = new(Encoding.UTF8.GetString(bytes.AsSpan(HeadBytes))) }
            : frame with { IsRaw = form == Form.RawEnd, Body = bytes.AsMemory(HeadBytes) };
    }
}
