using Millrace.Wasm.Text;
using Millrace.Wasm.Text.Modules;

namespace Millrace.Wasm;

/// <summary>The text format of modules, <c>.wat</c>: all of WebAssembly 3.0.</summary>
public static class WatText
{
    /// <summary>
    /// The binary module that a text stands for. Identifiers are kept in a name section, so that traps show them.
    /// The result is not validated.
    /// </summary>
    /// <exception cref="MalformedException">The text is not a module; the message says line and column.</exception>
    /// <exception cref="InvalidException">A branch hint stands before what is no branch.</exception>
    public static byte[] ToBinary(string text) => ModuleReader.ReadText(TextSource.FromString(text));

    /// <summary>As <see cref="ToBinary(string)"/>, for a file's bytes.</summary>
    /// <exception cref="MalformedException">The text is not a module, or not UTF-8.</exception>
    public static byte[] ToBinary(ReadOnlySpan<byte> utf8) => ModuleReader.ReadText(TextSource.FromUtf8(utf8));
}
