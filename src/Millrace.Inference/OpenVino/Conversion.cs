using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>One layer while it is converted: its inputs, its attributes, and the graph that its nodes go to.</summary>
sealed class Conversion(IrConverter converter, IrLayer layer)
{
    const long ConstantElementsMax = 1 << 24;

    public IrConverter Converter => converter;

    public IrLayer Layer => layer;

    public OnnxGraphBuilder Graph => converter.Graph;

    public int InputCount => layer.Inputs.Length;

    /// <summary>An input's value in the ONNX graph.</summary>
    public string In(int index) => converter.Input(layer, index).Name;

    public bool Has(int index) => index < layer.Inputs.Length;

    public TensorType TypeOf(int index) => converter.Input(layer, index).Type;

    /// <summary>An input's sizes, -1 where one is open.</summary>
    public ImmutableArray<long> SizesOf(int index) => converter.Input(layer, index).Dimensions;

    public int RankOf(int index) => SizesOf(index).Length;

    /// <summary>An input's sizes where none may be open.</summary>
    public long[] StaticSizes(int index)
    {
        var sizes = SizesOf(index);
        return sizes.All(size => size >= 0) ? [.. sizes] : throw layer.Refused($"with open sizes of input {index}");
    }

    /// <summary>An input that must be known when the model is loaded.</summary>
    public Tensor ConstantOf(int index) =>
        converter.Fold(layer, index) ?? throw layer.Refused($"where input {index} depends on the model's inputs");

    /// <summary>An input's value where it is known when the model is loaded.</summary>
    public Tensor? TryConstantOf(int index) => converter.Fold(layer, index);

    /// <summary>Whole numbers of an input that must be known.</summary>
    public long[] IntsOf(int index) => Numbers.Ints(ConstantOf(index));

    /// <summary>One whole number of an input that must be known.</summary>
    public long IntOf(int index) => IntsOf(index) is [var one, ..] ? one : throw layer.Malformed($"input {index} is empty");

    /// <summary>Numbers of an input that must be known.</summary>
    public double[] FloatsOf(int index) => Numbers.Floats(ConstantOf(index));

    public TensorType OutputType(int index = 0) => layer.Outputs[index].Type;

    public ImmutableArray<long> OutputSizes(int index = 0) => layer.Outputs[index].Dimensions;

    public bool IsUsed(int output) => output < layer.Outputs.Length && converter.IsUsed(layer, output);

    /// <summary>An output's value, of the type that the file declares.</summary>
    public IrValue Output(int index, string name)
    {
        if (converter.ToldSizes(layer) is { } sizes)
            return converter.Constant(Numbers.Tensor(OutputType(), [sizes.Length], sizes));
        return new(OutputType(index), OutputSizes(index), name);
    }

    // Attributes.
    public long Int(string name) => Attributes.Int(layer, name);

    public long Int(string name, long otherwise) => Attributes.Int(layer, name, otherwise);

    public double Float(string name, double otherwise) => Attributes.Float(layer, name, otherwise);

    public long[]? Ints(string name) => Attributes.Ints(layer, name);

    public string Text(string name, string otherwise) => Attributes.Text(layer, name, otherwise);

    public bool Flag(string name, bool otherwise) => Attributes.Flag(layer, name, otherwise);

    /// <summary>A node with one output.</summary>
    public string Op(string op, ReadOnlySpan<string> inputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        Graph.AddNode(op, inputs, attributes);

    public string Add(string a, string b) => Op("Add", [a, b]);

    public string Sub(string a, string b) => Op("Sub", [a, b]);

    public string Mul(string a, string b) => Op("Mul", [a, b]);

    public string Div(string a, string b) => Op("Div", [a, b]);

    public string Where(string condition, string then, string otherwise) => Op("Where", [condition, then, otherwise]);

    public string Cast(string value, TensorType to) => Op("Cast", [value], new OnnxAttribute("to", (int)to.ToOnnx()));

    /// <summary>The value as int64, which ONNX wants for shapes, axes and counts.</summary>
    public string Int64(int index) => TypeOf(index) == TensorType.I64 ? In(index) : Cast(In(index), TensorType.I64);

    /// <summary>An int64 input as a row, also where it is a scalar.</summary>
    public string Row(int index) => RankOf(index) == 1 ? Int64(index) : Reshape(Int64(index), -1);

    /// <summary>A count of elements that a constant may have which is made here.</summary>
    public long Bounded(long count) => count is >= 0 and <= ConstantElementsMax
        ? count : throw layer.Refused("with a table as large as it would need");

    /// <summary>A number of a type.</summary>
    public string Scalar(double value, TensorType type) => Graph.AddConstant(Numbers.Tensor(type, [], value));

    /// <summary>Numbers of a type.</summary>
    public string Constant(TensorType type, ImmutableArray<long> sizes, params double[] values)
    {
        Bounded(Tensor.Count(sizes));
        return Graph.AddConstant(Numbers.Tensor(type, sizes, values));
    }

    public string Ints(params ReadOnlySpan<long> values) => Graph.AddInts(values);

    /// <summary>0 keeps a size, -1 infers one.</summary>
    public string Reshape(string value, params ReadOnlySpan<long> sizes) => Op("Reshape", [value, Ints(sizes)]);

    public string Transpose(string value, params ReadOnlySpan<long> order) =>
        Op("Transpose", [value], new OnnxAttribute("perm", order));

    public string Unsqueeze(string value, params ReadOnlySpan<long> axes) => Op("Unsqueeze", [value, Ints(axes)]);

    public string Squeeze(string value, params ReadOnlySpan<long> axes) => Op("Squeeze", [value, Ints(axes)]);

    public string Concat(long axis, params ReadOnlySpan<string> parts) => Op("Concat", parts, new OnnxAttribute("axis", axis));

    public string Slice(string value, long axis, long from, long to, long step = 1) =>
        Op("Slice", [value, Ints(from), Ints(to), Ints(axis), Ints(step)]);

    public string Shape(string value) => Op("Shape", [value]);

    public string Sum(string value, params ReadOnlySpan<long> axes) => Op("ReduceSum", [value, Ints(axes)]);

    public string Mean(string value, params ReadOnlySpan<long> axes) => Op("ReduceMean", [value, Ints(axes)]);

    /// <summary>A negative axis counts from the end.</summary>
    public int Axis(long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis) : throw layer.Malformed($"axis {axis} is not one of {rank}");

    /// <summary>Whether elements are of floating point.</summary>
    public static bool IsFloat(TensorType type) => !type.IsWhole();

    /// <summary>
    /// A type that the engine computes in, for one that it does not: whole numbers in wider ones, whose low bits are the same.
    /// </summary>
    public static TensorType Wide(TensorType type) => type switch
    {
        TensorType.U8 or TensorType.I8 or TensorType.U16 or TensorType.I16 or TensorType.Bool => TensorType.I32,
        TensorType.U32 or TensorType.U64 => TensorType.I64,
        TensorType.F16 => TensorType.F32,
        _ => type,
    };

    /// <summary>An input in the type that <see cref="Wide"/> gives.</summary>
    public string WideIn(int index) => As(In(index), TypeOf(index), Wide(TypeOf(index)));

    /// <summary>The value as another type.</summary>
    public string As(string value, TensorType from, TensorType to) => from == to ? value : Cast(value, to);
}
