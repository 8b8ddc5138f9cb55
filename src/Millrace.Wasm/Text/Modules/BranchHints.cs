using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Text.Modules;

/// <summary>
/// Annotations <c>(@metadata.code.branch_hint "\00")</c> before <c>if</c> and <c>br_if</c>, and the custom section
/// that they become (branch hinting proposal).
/// </summary>
sealed class BranchHints(TokenList list)
{
    const string Id = "metadata.code.branch_hint";
    const string Subject = "@metadata.code.branch_hint annotation:";

    readonly Dictionary<int, byte> _waiting = [];
    readonly List<Annotation> _annotations = [.. list.Annotations.Where(static annotation => annotation.Id == Id)];
    readonly BinaryOutput _section = new();
    readonly List<(int Offset, byte Value)> _function = [];
    uint _functions;

    /// <summary>Makes the hints inside a function's tokens known before its code is read.</summary>
    public void Enter(int start, int end)
    {
        _function.Clear();
        if (_annotations.Count == 0) return;
        foreach (var annotation in _annotations)
        {
            if (annotation.Before <= start || annotation.Before > end) continue;
            if (!_waiting.TryAdd(annotation.Before, ReadValue(annotation)))
                throw Fault(annotation, "duplicate annotation");
        }

        _annotations.RemoveAll(annotation => annotation.Before > start && annotation.Before <= end);
    }

    byte ReadValue(Annotation annotation)
    {
        var cursor = new Cursor(Lexer.Read(list.Source, annotation.Start, annotation.End));
        var bytes = cursor.Kind == TokenKind.Text ? StringText.Decode(cursor.Span) : [];
        return bytes is [var value and <= 1] ? value : throw Fault(annotation, "invalid value");
    }

    /// <summary>Takes the hint that stands before a token, if one does.</summary>
    public byte? TryTake(int token) => _waiting.Remove(token, out var value) ? value : null;

    /// <summary>Attaches a hint to the instruction that the code will have at an offset.</summary>
    public void Attach(byte? hint, Opcode opcode, int offset)
    {
        if (hint is not { } value) return;
        if (opcode is not (Opcode.If or Opcode.BrIf)) throw new InvalidException($"{Subject} invalid target", "");
        _function.Add((offset, value));
    }

    /// <summary>Ends a function.</summary>
    /// <exception cref="InvalidException">A hint stood before something that is no instruction.</exception>
    public void Leave(uint function)
    {
        if (_waiting.Count > 0) throw new InvalidException($"{Subject} invalid target", $"function {function}");
        if (_function.Count == 0) return;
        _functions++;
        _section.Unsigned(function);
        _section.Unsigned((ulong)_function.Count);
        foreach (var (offset, value) in _function)
        {
            _section.Unsigned((ulong)offset);
            _section.Byte(1);
            _section.Byte(value);
        }
    }

    /// <summary>The section's contents; empty where there is no hint.</summary>
    public ReadOnlySpan<byte> Finish(int end)
    {
        foreach (var annotation in _annotations)
        {
            if (annotation.Before <= end) throw Fault(annotation, "not in a function");
        }

        if (_functions == 0) return [];
        var output = new BinaryOutput();
        output.Name(Id);
        output.Unsigned(_functions);
        output.Bytes(_section.Span);
        return output.Span;
    }

    MalformedException Fault(Annotation annotation, string reason) =>
        list.Source.Error($"{Subject} {reason}", annotation.Start);
}
