using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>
/// A function: a guest's or the host's. The same object wherever the function goes (exports, tables, globals).
/// </summary>
public sealed class Function
{
    // What guest code reads to call through a reference. Canonical signature of the engine; code whose parameters are
    // the wasm ones, then the context; the context: the instance, or for host functions this object.
    internal readonly int SignatureId;
    internal readonly nint Code;
    internal readonly object Context;

    /// <summary>A function of the host's making, for tables and globals. <see cref="Linker"/> makes its own.</summary>
    public Function(Store store, FunctionType type, HostFunction function)
        : this(store, store.Engine.Signatures.Of(type), function, caller: new Caller(null)) { }

    internal Function(Store store, Signature signature, HostFunction function, Caller caller)
    {
        (Store, Signature, Host, Caller) = (store, signature, function, caller);
        (SignatureId, Code, Context) = (signature.Id, signature.HostEntry, this);
    }

    internal Function(Instance instance, Signature signature, nint code, int index)
    {
        (Store, Signature, Index) = (instance.Store, signature, index);
        (SignatureId, Code, Context) = (signature.Id, code, instance);
    }

    internal Store Store { get; }

    internal Signature Signature { get; }

    /// <summary>Host functions: what runs.</summary>
    internal HostFunction? Host { get; }

    /// <summary>Host functions: who imported it.</summary>
    internal Caller? Caller { get; }

    /// <summary>Host functions: arguments and results of a call, kept for the next one.</summary>
    internal Value[]? Buffer { get; set; }

    /// <summary>Guest functions: index in the function space.</summary>
    internal int Index { get; } = -1;

    /// <summary>Its type.</summary>
    public FunctionType Type => Signature.Type;

    /// <summary>
    /// Calls it on this thread; where this thread's stack has less room than the store's limit asks for, on a thread
    /// of its own, for which this one waits.
    /// </summary>
    /// <exception cref="ArgumentException">The arguments do not fit the type, or belong to another store.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    /// <exception cref="GuestException">The guest threw it, or let it pass.</exception>
    /// <exception cref="InvalidOperationException">The store runs on another thread.</exception>
    public Value[] Call(params ReadOnlySpan<Value> arguments)
    {
        var results = new Value[Type.Results.Length];
        Invocation.Call(this, arguments, results);
        return results;
    }
}
