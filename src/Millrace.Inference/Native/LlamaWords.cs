using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Millrace.Inference.Native;

/// <summary>
/// What llama.cpp says of a failure. Its return codes tell only that there is one; the first error of the thread that
/// called it is the cause, those after it are of who passed it on.
/// </summary>
static unsafe partial class LlamaWords
{
    // ggml.h: GGML_LOG_LEVEL_ERROR.
    const int Error = 4;
    const int LettersMax = 300;

    [ThreadStatic]
    static string? _cause;

    public static void Hear(int level, byte* text)
    {
        if (level == Error) _cause ??= Marshal.PtrToStringUTF8((nint)text);
    }

    /// <summary>What was said before is of no interest.</summary>
    public static void Forget() => _cause = null;

    /// <summary>The cause in one line, a file named by its name alone; null: nothing was said.</summary>
    public static string? Cause(string? path = null)
    {
        if (_cause is not { } said) return null;
        var words = Source().Replace(said.Trim().ReplaceLineEndings(" "), "");
        if (path is not null) words = words.Replace(path, Path.GetFileName(path), StringComparison.Ordinal);
        return words.Length <= LettersMax ? words : words[..LettersMax] + "…";
    }

    // Which of its functions speaks, and that it does.
    [GeneratedRegex(@"^(\w+: )+(error loading model: )?(\w+: )?")]
    private static partial Regex Source();
}
