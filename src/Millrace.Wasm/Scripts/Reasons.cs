namespace Millrace.Wasm.Scripts;

/// <summary>The words of a fault beside those that a script expects.</summary>
static class Reasons
{
    /// <summary>What a fault says without its place.</summary>
    public static string Of(WasmException fault) => fault switch
    {
        MalformedException malformed => malformed.Reason,
        InvalidException invalid => invalid.Reason,
        TrapException trap => trap.Code.Text(),
        _ => fault.Message,
    };

    /// <summary>Whether a trap is the one expected. Scripts also say what kind of reference was null, which the
    /// instruction tells anyway.</summary>
    public static bool Match(TrapException trap, string expected) =>
        trap.Code == TrapCode.NullReference
            ? expected.StartsWith("null ", StringComparison.Ordinal)
                && expected.EndsWith(" reference", StringComparison.Ordinal)
            : Match(Of(trap), expected);

    /// <summary>Whether one is the other, or the other and more: "unexpected end" and "unexpected end of section".
    /// </summary>
    public static bool Match(string reason, string expected) =>
        reason.StartsWith(expected, StringComparison.Ordinal) || expected.StartsWith(reason, StringComparison.Ordinal);
}
