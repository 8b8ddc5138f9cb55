using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>
/// A 31-bit number as a reference. Small ones are made once; of others there may be several objects, so that
/// <c>ref.eq</c> compares numbers (see <see cref="Casts.IsSame"/>).
/// </summary>
sealed class GuestI31 : GuestObject
{
    /// <summary>Bytes of an object.</summary>
    const int Bytes = 24;

    const int SmallMin = -128;
    const int SmallMax = 1023;

    static readonly GuestI31[] Small =
        [.. Enumerable.Range(SmallMin, SmallMax - SmallMin + 1).Select(number => new GuestI31(number))];

    /// <summary>The number, with its sign.</summary>
    public readonly int Number;

    GuestI31(int number)
        : base(GuestType.I31) => Number = number;

    /// <summary>The lower 31 bits of a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static object New(Instance instance, int value)
    {
        var number = value << 1 >> 1;
        var small = Small;
        var index = number - SmallMin;
        return (uint)index < (uint)small.Length ? small[index] : NewLarge(instance, number);
    }

    /// <summary>One that the host makes: it is charged to nobody.</summary>
    public static GuestI31 OfHost(int number) =>
        (uint)(number - SmallMin) < (uint)Small.Length ? Small[number - SmallMin] : new(number);

    static GuestI31 NewLarge(Instance instance, int number)
    {
        var made = new GuestI31(number);
        instance.Heap.Charge(made, Bytes);
        return made;
    }
}
