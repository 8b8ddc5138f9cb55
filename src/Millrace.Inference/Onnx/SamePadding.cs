namespace Millrace.Inference.Onnx;

/// <summary>How much is put around an axis, so that windows on it are as many as its steps.</summary>
static class SamePadding
{
    /// <summary>Before and after the axis; of an odd number the larger half comes after.</summary>
    /// <param name="size">The axis; any number where windows go step by step.</param>
    /// <param name="reach">From a window's first place to its last.</param>
    /// <param name="step">From one window to the next.</param>
    public static (long Before, long After) Of(long size, long reach, long step)
    {
        var total = step == 1 ? reach - 1 : Math.Max(0, ((size + step - 1) / step - 1) * step + reach - size);
        return (total / 2, total - total / 2);
    }
}
