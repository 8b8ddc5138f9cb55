namespace Millrace.Wasm.Runtime;

/// <summary>
/// What an exception is to a guest (core 4.2.10), and what an <c>exnref</c> refers to. The <see cref="GuestException"/>
/// that carries it up the stack is made anew for each throw: its stack trace would outweigh it.
/// </summary>
sealed class ExceptionInstance(Tag tag)
{
    public Tag Tag { get; } = tag;

    /// <summary>The values, and one more, so that there is a first element to refer to.</summary>
    public Value[] Values { get; } = new Value[tag.Type.Parameters.Length + 1];

    public static ExceptionInstance From(Tag tag, ReadOnlySpan<Value> values)
    {
        var types = tag.Type.Parameters;
        if (values.Length != types.Length)
            throw new ArgumentException($"{values.Length} values for a tag of type {tag.Type}");
        for (var i = 0; i < values.Length; i++)
        {
            if (types[i].Kind == ValueKind.Ref) References.Check(tag.Store, types[i], values[i].AsReference);
        }
        var content = new ExceptionInstance(tag);
        values.CopyTo(content.Values);
        return content;
    }
}
