namespace Millrace.Wasm.Text.Modules;

/// <summary>Limits of a table or memory as written.</summary>
readonly record struct Limits(ulong Minimum, ulong? Maximum, bool Is64, bool IsShared)
{
    public void Write(BinaryOutput output)
    {
        output.Byte((Maximum is null ? 0 : 1) | (IsShared ? 2 : 0) | (Is64 ? 4 : 0));
        output.Unsigned(Minimum);
        if (Maximum is { } maximum) output.Unsigned(maximum);
    }
}
