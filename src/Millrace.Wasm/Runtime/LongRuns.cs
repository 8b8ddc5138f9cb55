using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Fills and copies of as many elements as a guest likes. Long ones come in parts, so that an interrupt does not wait
/// for a gigabyte.
/// </summary>
static class LongRuns
{
    const int PartBytes = 1 << 20;

    public static void Fill<T>(Store store, Span<T> target, T value)
    {
        var part = Part<T>();
        for (; target.Length > part; target = target[part..])
        {
            target[..part].Fill(value);
            Check(store);
        }
        target.Fill(value);
    }

    /// <summary>Copies, as if all were read before anything is written; <paramref name="to"/> is no shorter.</summary>
    public static void Copy<T>(Store store, ReadOnlySpan<T> from, Span<T> to)
    {
        var part = Part<T>();
        // Where they overlap, the end that the other range covers comes first.
        var isDown = from.Overlaps(to, out var offset) && offset > 0;
        while (from.Length > part)
        {
            var left = from.Length - part;
            if (isDown)
            {
                from[left..].CopyTo(to[left..]);
                from = from[..left];
            }
            else
            {
                from[..part].CopyTo(to);
                from = from[part..];
                to = to[part..];
            }
            Check(store);
        }
        from.CopyTo(to);
    }

    /// <summary>Traps where the store is interrupted.</summary>
    public static void Check(Store store)
    {
        if (store.IsInterrupted) Traps.Throw((int)TrapCode.Interrupted);
    }

    /// <summary>So many elements pass between two checks.</summary>
    public static int Part<T>() => PartBytes / Unsafe.SizeOf<T>();
}
