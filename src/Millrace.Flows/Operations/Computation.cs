using System.Collections.Immutable;
using System.Text.Json;
using Millrace.Nn;

namespace Millrace.Flows.Operations;

/// <summary>One computation from its inputs to its outputs, on a graph that stays as it was.</summary>
static class Computation
{
    // Of a text: itself, and what can be told about it.
    static readonly ImmutableArray<string> TextOutputs = ["text", "metadata"];

    public static bool IsText(INnGraph graph)
    {
        using var context = graph.CreateContext();
        return context is INnTextContext;
    }

    /// <exception cref="NnException">An input does not fit, the engine failed, or the outputs are too large.</exception>
    public static (NnAnswer Head, ReadOnlyMemory<byte> Body) Run(
        INnGraph graph, ImmutableArray<(int Index, Tensor Tensor)> inputs, bool isSingle, int bytesMax, CancellationToken cancel)
    {
        using var context = graph.CreateContext();
        // Options of a text would stay in the graph.
        if (context is INnTextContext && inputs.Any(input => input.Index != 0))
            throw new NnException(NnErrno.InvalidArgument, "a text has one input, 0; options go with the model");
        foreach (var (index, tensor) in inputs) context.SetInput(index, tensor);
        var head = context is INnTextContext text ? Write(text, isSingle, cancel)
            : isSingle ? throw new NnException(NnErrno.InvalidArgument, "only models of text compute token by token")
            : Compute(context, cancel);
        var names = context is INnTextContext ? TextOutputs : [.. graph.Outputs.Select(port => port.Name)];
        return Read(context, names, head, bytesMax);
    }

    static NnAnswer Compute(INnContext context, CancellationToken cancel)
    {
        context.Compute(cancel);
        return new();
    }

    static NnAnswer Write(INnTextContext context, bool isSingle, CancellationToken cancel)
    {
        var pieces = ImmutableArray.CreateBuilder<int>();
        try
        {
            if (!isSingle) context.Compute(cancel);
            while (isSingle)
            {
                context.ComputeSingle(cancel);
                pieces.Add(context.GetOutputSingle(0).Data.Length);
            }

            return new();
        }
        catch (NnException e) when (e.Errno is NnErrno.EndOfSequence or NnErrno.ContextFull)
        {
            // What is there can be read.
            return new() { Errno = e.Errno, Detail = e.Message, Pieces = pieces.ToImmutable() };
        }
    }

    static (NnAnswer Head, ReadOnlyMemory<byte> Body) Read(INnContext context, ImmutableArray<string> names, NnAnswer head, int bytesMax)
    {
        using var body = new MemoryStream();
        var outputs = ImmutableArray.CreateBuilder<NnPort>(names.Length);
        for (var i = 0; i < names.Length; i++)
        {
            var tensor = context.GetOutput(i);
            if (body.Length + tensor.Data.Length > bytesMax)
                throw new NnException(NnErrno.TooLarge, $"the outputs have more than {bytesMax} bytes, the limit in a flow");
            body.Write(tensor.Data.Span);
            outputs.Add(new(names[i], tensor.Type, tensor.Dimensions));
        }

        return (head with { Outputs = outputs.MoveToImmutable() }, body.ToArray());
    }

    /// <summary>Tokens that a text took, as the engine counts them; 0 for everything else.</summary>
    public static long TokensOf(NnAnswer head, ReadOnlyMemory<byte> body)
    {
        if (head.Outputs is not [{ Name: "text" }, { Name: "metadata", Shape: { } shape }]) return 0;
        using var counts = JsonDocument.Parse(body[^(int)shape[0]..]);
        return counts.RootElement.GetProperty("input_tokens").GetInt64() + counts.RootElement.GetProperty("output_tokens").GetInt64();
    }
}
