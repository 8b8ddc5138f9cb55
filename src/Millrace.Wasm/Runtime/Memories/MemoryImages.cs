using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime.Memories;

/// <summary>
/// The images of a module's memories: made when it is instantiated a second time, for most modules of a test or a
/// command run once. Where a module has none, its data segments are copied as the specification tells.
/// </summary>
/// <remarks>
/// An image is as good as copying where nobody can tell them apart: every segment must fit (none traps half-way), and
/// whatever may fail before must leave nothing behind through which the memory could be seen (core 4.5.4). So no
/// segment may go to an imported memory or table.
/// </remarks>
sealed class MemoryImages
{
    // Between segments lie pages of zeros, for which the file has room all the same once somebody read them.
    const ulong GapsMax = 1 << 20;

    readonly Engine _engine;
    readonly ModuleDefinition _definition;
    readonly Lock _gate = new();
    readonly ulong[] _offsets; // of each data segment
    readonly bool _isFit;
    MemoryImage?[]? _images;
    int _instances;

    public MemoryImages(Engine engine, ModuleDefinition definition)
    {
        (_engine, _definition) = (engine, definition);
        _offsets = new ulong[definition.Data.Length];
        _isFit = !engine.Options.IsPortable && IsFit();
    }

    /// <summary>Code of unloaded modules needs no images.</summary>
    ~MemoryImages()
    {
        foreach (var image in _images ?? [])
        {
            if (image is null) continue;
            image.Close();
            _engine.Images.Remove((long)image.Length);
        }
    }

    /// <summary>The images for one more instance, by memory; empty where it has to copy.</summary>
    public ReadOnlySpan<MemoryImage?> Next()
    {
        if (!_isFit) return [];
        if (Volatile.Read(ref _images) is { } made) return made;
        if (Interlocked.Increment(ref _instances) == 1) return [];
        lock (_gate) return _images ??= MakeAll();
    }

    bool IsFit()
    {
        foreach (var segment in _definition.Elements)
            if (segment.Mode == SegmentMode.Active && segment.TableIndex < _definition.ImportedTableCount) return false;
        var isAny = false;
        for (var i = 0; i < _offsets.Length; i++)
        {
            var segment = _definition.Data[i];
            if (segment.Mode != SegmentMode.Active) continue;
            isAny = true;
            if (segment.MemoryIndex < _definition.ImportedMemoryCount) return false;
            var limits = _definition.Memories[segment.MemoryIndex].Limits;
            if (!ConstantExpression.TryEvaluate(_definition, segment.Offset, out var offset)) return false;
            _offsets[i] = limits.Is64 ? (ulong)offset.AsI64 : (uint)offset.AsI32;
            if (!Fits(_offsets[i], segment.Content.Length, limits.Min)) return false;
        }
        return isAny;
    }

    // A memory that is larger cannot be made.
    static bool Fits(ulong offset, int length, ulong pages)
    {
        var bytes = Math.Min(pages, long.MaxValue / Memory.PageBytes) * Memory.PageBytes;
        return (ulong)length <= bytes && offset <= bytes - (ulong)length;
    }

    MemoryImage?[] MakeAll()
    {
        var images = new MemoryImage?[_definition.Memories.Length];
        for (var memory = _definition.ImportedMemoryCount; memory < images.Length; memory++)
        {
            var segments = Enumerable.Range(0, _offsets.Length).Where(i => IsOf(i, memory)).ToArray();
            if (segments.Length != 0) images[memory] = Make(segments);
        }
        return images;
    }

    bool IsOf(int segment, int memory) => _definition.Data[segment] is { Mode: SegmentMode.Active } active
        && active.MemoryIndex == memory && !active.Content.IsEmpty;

    MemoryImage? Make(int[] segments)
    {
        var page = (ulong)Environment.SystemPageSize;
        var start = segments.Min(i => _offsets[i]) / page * page;
        var end = (segments.Max(EndOf) + page - 1) / page * page;
        var filled = (ulong)segments.Sum(i => (long)_definition.Data[i].Content.Length);
        if (end - start > 2 * filled + GapsMax)
        {
            _engine.Images.Refuse("its data segments lie too far apart");
            return null;
        }
        if (!_engine.Images.TryAdd((long)(end - start))) return null;
        try
        {
            return MemoryImage.Make((nuint)start, (nuint)(end - start), Write, _engine.Options.PlatformFault);
        }
        catch (IOException refusal)
        {
            _engine.Images.Remove((long)(end - start));
            _engine.Images.Refuse(refusal.Message);
            return null;
        }

        // In their order: later segments may overwrite earlier ones.
        void Write(Microsoft.Win32.SafeHandles.SafeFileHandle file)
        {
            foreach (var i in segments)
            {
                var content = _definition.Data[i].Content;
                RandomAccess.Write(
                    file, _definition.Bytes.Span.Slice(content.Start, content.Length), (long)(_offsets[i] - start));
            }
        }
    }

    ulong EndOf(int segment) => _offsets[segment] + (ulong)_definition.Data[segment].Content.Length;
}
