using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary>A module on disk, in either format.</summary>
static class ModuleFile
{
    /// <summary>The binary module. What does not begin as one is text, unless its name says otherwise.</summary>
    /// <exception cref="MalformedException">The text is no module.</exception>
    public static ReadOnlyMemory<byte> Read(FileInfo file)
    {
        if (!file.Exists) throw new CommandException($"there is no file {file}");
        var bytes = File.ReadAllBytes(file.FullName);
        return bytes.AsSpan().StartsWith("\0asm"u8) || file.Extension == ".wasm" ? bytes : WatText.ToBinary(bytes);
    }
}
