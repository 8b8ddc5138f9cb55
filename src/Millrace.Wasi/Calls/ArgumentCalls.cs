using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Calls;

/// <summary><c>args_*</c> and <c>environ_*</c>: lists of zero-ended texts.</summary>
static class ArgumentCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("args_get", "ii", static (w, m, a) => Get(w.Arguments, m, a)),
        new("args_sizes_get", "ii", static (w, m, a) => Sizes(w.Arguments, m, a)),
        new("environ_get", "ii", static (w, m, a) => Get(w.Environment, m, a)),
        new("environ_sizes_get", "ii", static (w, m, a) => Sizes(w.Environment, m, a)),
    ];

    static Errno Get(byte[][] texts, IGuestMemory memory, Arguments arguments)
    {
        var (pointers, buffer) = (arguments.U32(0), arguments.U32(1));
        foreach (var text in texts)
        {
            memory.WriteU32(pointers, buffer);
            text.CopyTo(memory.Bytes(buffer, (uint)text.Length));
            pointers += 4;
            buffer += (uint)text.Length;
        }

        return Errno.Success;
    }

    static Errno Sizes(byte[][] texts, IGuestMemory memory, Arguments arguments)
    {
        memory.WriteU32(arguments.U32(0), (uint)texts.Length);
        memory.WriteU32(arguments.U32(1), (uint)texts.Sum(text => text.Length));
        return Errno.Success;
    }
}
