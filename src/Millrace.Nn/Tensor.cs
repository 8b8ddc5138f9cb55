using System.Collections.Immutable;

namespace Millrace.Nn;

/// <summary>What a tensor's elements are. Guests know six of these; <c>nn run</c> and the backends all.</summary>
public enum TensorType
{
    /// <summary>IEEE half.</summary>
    F16,
    /// <summary>IEEE single.</summary>
    F32,
    /// <summary>IEEE double.</summary>
    F64,
    /// <summary>Unsigned byte.</summary>
    U8,
    /// <summary>Signed byte.</summary>
    I8,
    /// <summary>16 bits, unsigned.</summary>
    U16,
    /// <summary>16 bits, signed.</summary>
    I16,
    /// <summary>32 bits, unsigned.</summary>
    U32,
    /// <summary>32 bits, signed.</summary>
    I32,
    /// <summary>64 bits, unsigned.</summary>
    U64,
    /// <summary>64 bits, signed.</summary>
    I64,
    /// <summary>One byte, 0 or 1.</summary>
    Bool,
}

/// <summary>Elements in row-major order, little-endian.</summary>
/// <param name="Type">What the elements are.</param>
/// <param name="Dimensions">Sizes, outermost first; none is a scalar.</param>
/// <param name="Data">Exactly as many bytes as type and sizes say.</param>
public sealed record Tensor(TensorType Type, ImmutableArray<long> Dimensions, ReadOnlyMemory<byte> Data)
{
    /// <summary>Bytes of one element.</summary>
    public static int Bytes(TensorType type) => type switch
    {
        TensorType.U8 or TensorType.I8 or TensorType.Bool => 1,
        TensorType.F16 or TensorType.U16 or TensorType.I16 => 2,
        TensorType.F32 or TensorType.U32 or TensorType.I32 => 4,
        TensorType.F64 or TensorType.U64 or TensorType.I64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a tensor type"),
    };

    /// <summary>Elements of a tensor of these sizes.</summary>
    /// <exception cref="NnException">A size is negative, or there are more elements than an array can hold.</exception>
    public static int Count(ImmutableArray<long> dimensions)
    {
        long count = 1;
        foreach (var size in dimensions)
        {
            if (size < 0) throw new NnException(NnErrno.InvalidArgument, $"a tensor has a size of {size}");
            // A zero anywhere makes all of it empty, whatever stands beside it.
            if (size != 0 && count > Array.MaxLength / size)
                throw new NnException(NnErrno.TooLarge, $"a tensor of [{string.Join(", ", dimensions)}] is too large");
            count *= size;
        }

        return (int)count;
    }
}

/// <summary>One input or output of a model.</summary>
/// <param name="Name">The model's own name for it.</param>
/// <param name="Type">What the elements are; null where the model leaves it open.</param>
/// <param name="Dimensions">Sizes, -1 where one is open; default where even their number is.</param>
public sealed record TensorPort(string Name, TensorType? Type, ImmutableArray<long> Dimensions)
{
    // TensorFlow calls the first tensor of a node by the node's name, or with this.
    const string First = ":0";

    /// <summary>The index of the one that has this name; -1 where there is none.</summary>
    public static int Find(ImmutableArray<TensorPort> ports, string name)
    {
        for (var i = 0; i < ports.Length; i++) if (ports[i].Name == name) return i;
        for (var i = 0; i < ports.Length; i++) if (ports[i].Name + First == name || ports[i].Name == name + First) return i;
        return -1;
    }

    /// <summary>Refuses a tensor that the input of this index does not take.</summary>
    /// <exception cref="NnException">No such input, or another type, rank, size or length.</exception>
    public static void CheckInput(ImmutableArray<TensorPort> inputs, int index, Tensor tensor)
    {
        if (index < 0 || index >= inputs.Length) throw Invalid($"there is no input {index}: the model has {inputs.Length}");
        var (name, type, sizes) = inputs[index];
        if (type is not null && type != tensor.Type) throw Invalid($"the input {name} takes {type}, not {tensor.Type}");
        if (!Fits(sizes, tensor.Dimensions)) throw Invalid($"the input {name} takes {Text(sizes)}, not {Text(tensor.Dimensions)}");
        var bytes = (long)Tensor.Count(tensor.Dimensions) * Tensor.Bytes(tensor.Type);
        if (tensor.Data.Length != bytes)
            throw Invalid($"the input {name} of {Text(tensor.Dimensions)} needs {bytes} bytes, and {tensor.Data.Length} came");
    }

    /// <summary>Refuses the index of an output that was not computed.</summary>
    /// <param name="results">What was computed; null where nothing was.</param>
    /// <param name="index">Which of them is wanted.</param>
    /// <exception cref="NnException">Nothing was computed, or there is no such output.</exception>
    public static Tensor Output(IReadOnlyList<Tensor>? results, int index)
    {
        if (results is null) throw Invalid("nothing was computed yet");
        return index >= 0 && index < results.Count
            ? results[index] : throw Invalid($"there is no output {index}: the model has {results.Count}");
    }

    static bool Fits(ImmutableArray<long> port, ImmutableArray<long> tensor) => port.IsDefault
        || (port.Length == tensor.Length && port.Zip(tensor).All(static pair => pair.First < 0 || pair.First == pair.Second));

    static string Text(ImmutableArray<long> sizes) => $"[{string.Join(",", sizes.Select(size => size < 0 ? "?" : $"{size}"))}]";

    static NnException Invalid(string message) => new(NnErrno.InvalidArgument, message);
}
