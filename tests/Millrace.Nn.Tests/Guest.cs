using System.Buffers.Binary;
using System.Text;
using Millrace.Nn.Calls;
using Millrace.Wasm;

namespace Millrace.Nn.Tests;

/// <summary>A guest with a function for each that it imports, and room in its memory for what it hands over.</summary>
sealed class Guest : IDisposable
{
    /// <summary>Where answers are put; what is handed over stands above.</summary>
    public const uint Out = 64;

    const uint Texts = 65536;

    readonly Engine _engine = new();
    readonly Store _store;
    readonly NnHost _host;
    readonly Linker _linker;
    readonly List<string> _log = [];
    Instance _instance;
    uint _next = Texts;

    public Guest(NnOptions options, bool hasMemory = true)
    {
        _store = new(_engine);
        _host = new(options with { Log = _log.Add });
        _linker = new(_engine);
        _host.Define(_linker);
        _instance = _linker.Instantiate(_store, Module.Compile(_engine, WatText.ToBinary(Encoding.UTF8.GetBytes(Wat(hasMemory)))));
    }

    public IReadOnlyList<string> Log => _log;

    public Memory Memory => _instance.FindMemory("memory")!;

    /// <summary>Another instance on the same host, which takes this one's place.</summary>
    public void Renew() =>
        _instance = _linker.Instantiate(_store, Module.Compile(_engine, WatText.ToBinary(Encoding.UTF8.GetBytes(Wat(true)))));

    public NnErrno Call(string name, params uint[] arguments) => (NnErrno)_instance.FindFunction(name)!
        .Call([.. arguments.Select(argument => Value.From((int)argument))])[0].AsI32;

    /// <summary>The guest's own line.</summary>
    public void Say(uint level, string context, string message)
    {
        var ((at, length), (messageAt, messageLength)) = (Put(context), Put(message));
        Say(level, at, length, messageAt, messageLength);
    }

    public void Say(params uint[] arguments) =>
        _instance.FindFunction("log")!.Call([.. arguments.Select(argument => Value.From((int)argument))]);

    public uint MustCall(string name, params uint[] arguments)
    {
        var errno = Call(name, arguments);
        Assert.True(errno == NnErrno.Success, $"{name}: {errno}: {string.Join("; ", _log)}");
        return arguments.Contains(Out) ? U32(Out) : 0;
    }

    public (uint At, uint Length) Put(ReadOnlySpan<byte> bytes)
    {
        var at = _next;
        bytes.CopyTo(Memory.Span(at, (uint)bytes.Length));
        _next += (uint)(bytes.Length + 7) & ~7u;
        return (at, (uint)bytes.Length);
    }

    public (uint At, uint Length) Put(string text) => Put(Encoding.UTF8.GetBytes(text));

    public uint Numbers(params uint[] numbers)
    {
        var bytes = new byte[numbers.Length * 4];
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 4), numbers[i]);
        return Put(bytes).At;
    }

    public NnErrno Load(NnEncoding encoding, params byte[][] builders)
    {
        var parts = builders.Select(builder => Put(builder)).SelectMany(part => new[] { part.At, part.Length }).ToArray();
        return Call("load", Numbers(parts), (uint)builders.Length, (uint)encoding, 0, Out);
    }

    public NnErrno LoadByName(string name)
    {
        var (at, length) = Put(name);
        return Call("load_by_name", at, length, Out);
    }

    public NnErrno LoadByName(string name, string config)
    {
        var ((at, length), (configAt, configLength)) = (Put(name), Put(config));
        return Call("load_by_name_with_config", at, length, configAt, configLength, Out);
    }

    /// <summary>The context of a model by its name.</summary>
    public uint Context(string name)
    {
        Assert.Equal(NnErrno.Success, LoadByName(name));
        return MustCall("init_execution_context", U32(Out), Out);
    }

    /// <param name="type">The type's word; its low byte is the type.</param>
    public NnErrno SetInput(uint context, uint index, uint type, uint[] sizes, byte[] bytes)
    {
        var (at, length) = Put(bytes);
        return Call("set_input", context, index, Numbers(Numbers(sizes), (uint)sizes.Length, type, at, length));
    }

    public NnErrno Prompt(uint context, string text) => SetInput(context, 0, 3, [1], Encoding.UTF8.GetBytes(text));

    /// <summary>An output, into a buffer of a size.</summary>
    public string Output(uint context, uint index, uint bytesMax = 4096, string call = "get_output")
    {
        const uint Buffer = 8192;
        MustCall(call, context, index, Buffer, bytesMax, Out);
        return Encoding.UTF8.GetString(Memory.Span(Buffer, Math.Min(U32(Out), bytesMax)));
    }

    public uint U32(uint at) => BinaryPrimitives.ReadUInt32LittleEndian(Memory.Span(at, 4));

    public void Dispose()
    {
        _host.Dispose();
        _store.Dispose();
        _engine.Dispose();
    }

    static string Wat(bool hasMemory)
    {
        var text = new StringBuilder("(module\n");
        foreach (var call in CallTable.All)
        {
            var parameters = string.Concat(Enumerable.Repeat(" i32", call.Parameters));
            text.Append($"(import \"{call.Module}\" \"{call.Name}\" (func ${call.Name} (param{parameters}) (result i32)))\n");
        }

        text.Append("(import \"wasi:logging/logging\" \"log\" (func $log (param i32 i32 i32 i32 i32)))\n");
        if (hasMemory) text.Append("(memory (export \"memory\") 16)\n");
        foreach (var call in CallTable.All)
        {
            var parameters = string.Concat(Enumerable.Repeat(" i32", call.Parameters));
            var gets = string.Concat(Enumerable.Range(0, call.Parameters).Select(i => $" local.get {i}"));
            text.Append($"(func (export \"{call.Name}\") (param{parameters}) (result i32){gets} call ${call.Name})\n");
        }

        text.Append("(func (export \"log\") (param i32 i32 i32 i32 i32) ");
        return text.Append("local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 call $log))").ToString();
    }
}
