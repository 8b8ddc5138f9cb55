using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Millrace.Inference.TensorFlowLite.Format;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Execution;

/// <summary>One run of an operator: its tensors, room for what is between, and the means to stop.</summary>
sealed class Call(OperatorSpec spec, LiteTensor?[] inputs, LiteTensor?[] outputs, Machine machine)
{
    readonly List<byte[]> _scratch = [];

    public Machine Machine => machine;

    public FlatTable Options => spec.Options;

    public int InputCount => inputs.Length;

    public int OutputCount => outputs.Length;

    public CancellationToken Cancel => machine.Cancel;

    public LiteTensor Input(int index) => Optional(index) ?? throw Wrong($"input {index} is missing");

    public LiteTensor? Optional(int index) => index < inputs.Length ? inputs[index] : null;

    /// <summary>An output, with room for these sizes.</summary>
    public LiteTensor Output(int index, params int[] shape)
    {
        var output = outputs[index] ?? throw Wrong($"output {index} is missing");
        machine.Place(output, shape);
        return output;
    }

    /// <summary>An output that has been placed.</summary>
    public LiteTensor Written(int index) => outputs[index]!;

    /// <summary>An input that lives on between computations, zero at first.</summary>
    public LiteTensor State(int index)
    {
        var state = Input(index);
        if (!state.Spec.IsVariable) throw Wrong($"input {index} is to be a variable");
        return state;
    }

    /// <summary>Room until the operator has run; not cleared.</summary>
    public Span<T> Scratch<T>(int count) where T : unmanaged
    {
        var bytes = (long)count * Unsafe.SizeOf<T>();
        if (count < 0 || bytes > Array.MaxLength) throw new NnException(NnErrno.TooLarge, $"{spec.Name} needs too much room");
        var block = machine.Arena.Rent((int)bytes);
        _scratch.Add(block);
        return MemoryMarshal.Cast<byte, T>(block.AsSpan(0, (int)bytes));
    }

    public void Run(Kernel kernel)
    {
        try
        {
            kernel(this);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException or OverflowException or DivideByZeroException)
        {
            // Every access is checked by the runtime, so tensors that do not fit each other end here and nowhere else.
            throw Wrong($"its tensors do not fit together ({Sizes()})");
        }
        finally
        {
            foreach (var block in _scratch) machine.Arena.Return(block);
            _scratch.Clear();
        }
    }

    public void Require(bool holds, string what)
    {
        if (!holds) throw Wrong(what);
    }

    public NnException Wrong(string what) => new(NnErrno.RuntimeError, $"{spec.Name}: {what}");

    string Sizes() => string.Join(" ", inputs.Select(static tensor => tensor is null ? "-" : $"[{string.Join(",", tensor.Shape)}]"));
}
