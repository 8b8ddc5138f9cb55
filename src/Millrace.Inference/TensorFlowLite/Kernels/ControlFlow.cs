using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Subgraphs that run on a condition, in a loop, or once; and variables.</summary>
static class ControlFlow
{
    const int If = 118;
    const int While = 119;
    const int CallOnce = 129;

    /// <summary>The subgraphs that an operator runs.</summary>
    public static int[] Callees(OperatorSpec op, LiteModel model)
    {
        int[] called = op.Code switch
        {
            If or While => [op.Options.Int(0), op.Options.Int(1)],
            CallOnce => [op.Options.Int(0)],
            _ => [],
        };
        if (called.Any(index => index < 0 || index >= model.Subgraphs.Length))
            throw new NnException(NnErrno.InvalidEncoding, $"{op.Name} runs a subgraph that the model does not have");
        return called;
    }

    public static Kernel Choose(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Bool);
        var (then, otherwise) = (node.Options.Int(0), node.Options.Int(1));
        return call => Give(call, call.Machine.Run(call.Input(0).Read<byte>()[0] != 0 ? then : otherwise, Inputs(call, 1)));
    }

    public static Kernel Loop(Node node)
    {
        var (condition, body) = (node.Options.Int(0), node.Options.Int(1));
        return call =>
        {
            var machine = call.Machine;
            // The loop's values stand in the operator's outputs, so that the subgraphs may do with their tensors what they like.
            LiteTensor[] values = [.. Enumerable.Range(0, call.OutputCount).Select(call.Written)];
            call.Require(values.Length == call.InputCount, "it has another number of outputs than inputs");
            for (var i = 0; i < values.Length; i++) machine.Copy(call.Input(i), values[i]);
            while (true)
            {
                call.Cancel.ThrowIfCancellationRequested();
                var asked = machine.Run(condition, values);
                call.Require(asked.Outputs is [{ Type: LiteType.Bool }], "its condition does not give one truth value");
                if (asked.Outputs[0].Read<byte>()[0] == 0) return;
                var frame = machine.Run(body, values);
                call.Require(frame.Outputs.Length == values.Length, "its body gives another number of values");
                for (var i = 0; i < values.Length; i++) machine.Copy(frame.Outputs[i], values[i]);
            }
        };
    }

    public static Kernel Once(Node node)
    {
        var subgraph = node.Options.Int(0);
        return call =>
        {
            if (call.Machine.Initialized.Contains(subgraph)) return;
            call.Machine.Run(subgraph, []);
            // One that was broken off begins again with the next computation.
            call.Machine.Initialized.Add(subgraph);
        };
    }

    public static Kernel Handle(Node node)
    {
        node.RequireType(node.Output(0), LiteType.Resource);
        var name = node.Options.Text(0) + "/" + node.Options.Text(1);
        return call =>
        {
            var handles = call.Machine.Handles;
            var index = handles.IndexOf(name);
            if (index < 0)
            {
                index = handles.Count;
                handles.Add(name);
            }

            call.Output(0, 1).Write<int>()[0] = index;
        };
    }

    public static Kernel Read(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Resource);
        return static call =>
        {
            call.Require(call.Machine.Variables.TryGetValue(Name(call), out var variable), "the variable has no value yet");
            call.Machine.Copy(variable!, call.Output(0, variable!.Shape));
        };
    }

    public static Kernel Assign(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Resource);
        return static call =>
        {
            var (value, name) = (call.Input(1), Name(call));
            // Its block is the arena's, as every other tensor's.
            if (!call.Machine.Variables.TryGetValue(name, out var kept) || kept.Type != value.Type)
            {
                if (kept?.Release() is { } former) call.Machine.Arena.Return(former);
                kept = new(value.Spec with { Constant = default, IsVariable = false });
                call.Machine.Variables[name] = kept;
            }

            call.Machine.Copy(value, kept);
        };
    }

    static string Name(Call call)
    {
        var index = call.Input(0).Read<int>()[0];
        return call.Machine.Handles[index];
    }

    static LiteTensor[] Inputs(Call call, int first) => [.. Enumerable.Range(first, call.InputCount - first).Select(call.Input)];

    static void Give(Call call, Frame frame)
    {
        call.Require(frame.Outputs.Length == call.OutputCount, "its subgraph gives another number of values");
        for (var i = 0; i < call.OutputCount; i++) call.Machine.Copy(frame.Outputs[i], call.Written(i));
    }
}
