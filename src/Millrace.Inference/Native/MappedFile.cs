using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace Millrace.Inference.Native;

/// <summary>The bytes of a file, mapped to be read. They stay until nobody holds them any more.</summary>
sealed unsafe class MappedFile : MemoryManager<byte>
{
    readonly MemoryMappedViewAccessor _view;
    readonly byte* _start;
    readonly int _length;

    MappedFile(MemoryMappedViewAccessor view, int length)
    {
        _view = view;
        // The view's own finalizer ends the mapping, and this holds the view.
        _start = (byte*)view.SafeMemoryMappedViewHandle.DangerousGetHandle() + view.PointerOffset;
        _length = length;
    }

    /// <summary>The first bytes of a file, which may be closed afterwards.</summary>
    public static ReadOnlyMemory<byte> Of(FileStream file, int length)
    {
        if (length == 0) return default;
        using var mapped = MemoryMappedFile.CreateFromFile(
            file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new MappedFile(mapped.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length).Memory;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length);
        return new(_start + elementIndex, default, this);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _view.Dispose();
    }
}
