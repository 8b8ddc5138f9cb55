using System.Runtime.Intrinsics;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>A global variable.</summary>
public sealed unsafe class Global
{
    // Numbers live in the store's native memory, so that guest code reaches them by pointer.
    internal readonly byte* Cell;

    /// <summary>The value of a global of reference type.</summary>
    internal object? Reference;

    /// <summary>A global of the host's making.</summary>
    /// <exception cref="ArgumentException">The reference is not of that type, or belongs to another store.</exception>
    public Global(Store store, ValueType type, bool isMutable, Value initial)
        : this(store, type, isMutable, store.AllocateCells(1))
    {
        store.Engine.Types.Check(type);
        Set(initial);
    }

    internal Global(Store store, ValueType type, bool isMutable, byte* cell)
    {
        (Store, Type, IsMutable) = (store, type, isMutable);
        Cell = cell;
    }

    internal Store Store { get; }

    /// <summary>Its type.</summary>
    public ValueType Type { get; }

    /// <summary>Whether it can be set.</summary>
    public bool IsMutable { get; }

    /// <summary>The value now.</summary>
    /// <exception cref="InvalidOperationException">Set: the global is immutable.</exception>
    public Value Value
    {
        get
        {
            Store.ThrowIfDisposed();
            return Type.Kind switch
            {
                ValueKind.I32 => Value.From(*(int*)Cell),
                ValueKind.I64 => Value.From(*(long*)Cell),
                ValueKind.F32 => Value.From(*(float*)Cell),
                ValueKind.F64 => Value.From(*(double*)Cell),
                ValueKind.V128 => Value.From(Vector128.Load(Cell)),
                _ => Value.FromReference(Reference),
            };
        }
        set
        {
            if (!IsMutable) throw new InvalidOperationException("the global is immutable");
            Set(value);
        }
    }

    internal void Set(Value value)
    {
        Store.ThrowIfDisposed();
        if (Type.Kind == ValueKind.Ref)
        {
            References.Check(Store, Type, value.AsReference);
            Reference = value.AsReference;
        }
        else
        {
            value.Store(Cell);
        }
    }
}
