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
    public static object New(Instance instance, int value)
    {
        var number = value << 1 >> 1;
        if ((uint)(number - SmallMin) < (uint)Small.Length) return Small[number - SmallMin];
        var i31 = new GuestI31(number);
        instance.Heap.Charge(i31, Bytes);
        return i31;
    }

    /// <summary>One that the host makes: it is charged to nobody.</summary>
    public static GuestI31 OfHost(int number) =>
        (uint)(number - SmallMin) < (uint)Small.Length ? Small[number - SmallMin] : new(number);
}
