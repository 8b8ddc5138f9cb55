namespace Millrace.Inference.Worker;

/// <summary>One token of a text.</summary>
/// <param name="Bytes">Its bytes, which may be half a character.</param>
/// <param name="IsEnd">Whether the text ends with it.</param>
sealed record RawPiece(ReadOnlyMemory<byte> Bytes, bool IsEnd);
