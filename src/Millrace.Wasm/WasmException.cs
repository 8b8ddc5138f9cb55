using System.Collections.Immutable;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>Base of the engine's errors; each subclass names the phase that failed.</summary>
public abstract class WasmException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The bytes or the text are not a module (decode phase).</summary>
/// <param name="reason">What is wrong, in the specification suite's words.</param>
/// <param name="offset">Byte offset in the binary, or character offset in the text.</param>
/// <param name="place">Of a text: line and column, as <c>3:14</c>.</param>
public sealed class MalformedException(string reason, long offset, string? place = null)
    : WasmException(place is null ? $"{reason} (at offset {offset})" : $"{reason} (at {place})")
{
    /// <summary>What is wrong, in the specification suite's words.</summary>
    public string Reason { get; } = reason;

    /// <summary>Byte offset in the binary, or character offset in the text.</summary>
    public long Offset { get; } = offset;
}

/// <summary>The module breaks a typing rule (validation phase).</summary>
/// <param name="reason">What is wrong, in the specification suite's words.</param>
/// <param name="place">Where: function index and name, instruction, offset; empty for module-level faults.</param>
public sealed class InvalidException(string reason, string place)
    : WasmException(place.Length == 0 ? reason : $"{reason} ({place})")
{
    /// <summary>What is wrong, in the specification suite's words.</summary>
    public string Reason { get; } = reason;

    /// <summary>Where: function, instruction, offset.</summary>
    public string Place { get; } = place;
}

/// <summary>Imports could not be satisfied (link phase). The message lists every import that failed.</summary>
public sealed class LinkException(string message) : WasmException(message);

/// <summary>One frame of a guest backtrace, innermost first.</summary>
/// <param name="FunctionIndex">Index in the module's function space.</param>
/// <param name="Name">Name from the name section or an export, when there is one.</param>
public readonly record struct GuestFrame(int FunctionIndex, string? Name)
{
    /// <summary>
    /// Offset in the code section of the instruction that trapped or called, where the module has line tables and the
    /// .NET runtime can tell.
    /// </summary>
    public int? CodeOffset { get; init; }

    /// <summary>The instruction's source file as the module's line tables name it, if they do.</summary>
    public string? File { get; init; }

    /// <summary>The line in <see cref="File"/>.</summary>
    public int? Line { get; init; }

    /// <summary><c>name</c>, or <c>func[7]</c>; with <c> (file:line)</c> where that is known.</summary>
    public override string ToString()
    {
        var name = Name ?? $"func[{FunctionIndex}]";
        return File is null ? name : $"{name} ({File}:{Line})";
    }
}

/// <summary>A guest fault that ended execution.</summary>
public sealed class TrapException(TrapCode code, string? detail = null, Exception? inner = null)
    : WasmException(detail is null ? code.Text() : $"{code.Text()}: {detail}", inner)
{
    /// <summary>What happened.</summary>
    public TrapCode Code { get; } = code;

    /// <summary>Guest frames, innermost first; at most 64.</summary>
    public ImmutableArray<GuestFrame> Backtrace => Trace.Frames;

    internal Backtrace Trace { get; set; } = Runtime.Backtrace.Empty;

    /// <summary>Where it happened: an offset in the code section of the module whose frame is the first.</summary>
    internal int Site { get; init; } = Traps.NoSite;
}

/// <summary>
/// The engine's own fault: the code that its compiler made of a valid module was refused by the verifier, and was not
/// loaded. Nothing of the module ran.
/// </summary>
/// <param name="function">Whose code it is.</param>
/// <param name="offset">Offset in the CIL of that function, or −1.</param>
/// <param name="reason">What the verifier could not prove.</param>
public sealed class RefusedCodeException(string function, int offset, string reason)
    : WasmException($"internal fault: the compiled code of {function} was refused at {offset:x3}: {reason}")
{
    /// <summary>Whose code it is.</summary>
    public string Function { get; } = function;

    /// <summary>Offset in the CIL of that function, or −1.</summary>
    public int Offset { get; } = offset;

    /// <summary>What the verifier could not prove.</summary>
    public string Reason { get; } = reason;
}
