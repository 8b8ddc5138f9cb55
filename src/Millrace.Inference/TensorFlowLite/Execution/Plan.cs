using Millrace.Inference.TensorFlowLite.Format;
using Millrace.Inference.TensorFlowLite.Kernels;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Execution;

/// <summary>A subgraph with the kernels of its operators, and what each step is the last to read.</summary>
sealed record Plan(TensorSpec[] Tensors, int[] Inputs, int[] Outputs, Step[] Steps)
{
    /// <summary>Chooses kernels for all subgraphs; the first operator that has none refuses the model.</summary>
    public static Plan[] Make(LiteModel model)
    {
        CheckCalls(model);
        return [.. model.Subgraphs.Select(subgraph => Make(subgraph, model))];
    }

    static Plan Make(Subgraph subgraph, LiteModel model)
    {
        var tensors = (TensorSpec[])subgraph.Tensors.Clone();
        var steps = new List<Step>();
        foreach (var spec in subgraph.Operators)
        {
            var node = new Node(spec, tensors, model);
            CheckOutputs(node);
            if (Constants.Fold(node) is { } folded)
            {
                // Weights that are stored in another type are converted once.
                tensors[spec.Outputs[0]] = folded;
                continue;
            }

            steps.Add(new Step(spec, OperatorTable.KernelOf(node), []));
        }

        return new Plan(tensors, subgraph.Inputs, subgraph.Outputs, WithReleases(steps, subgraph));
    }

    static void CheckOutputs(Node node)
    {
        for (var i = 0; i < node.OutputCount; i++)
            node.Require(!node.Output(i).IsConstant, $"the constant {node.Output(i).Name} is an output");
    }

    static Step[] WithReleases(List<Step> steps, Subgraph subgraph)
    {
        var last = new Dictionary<int, int>();
        for (var i = 0; i < steps.Count; i++)
        {
            foreach (var tensor in steps[i].Spec.Outputs.Concat(steps[i].Spec.Inputs).Where(static tensor => tensor >= 0)) last[tensor] = i;
        }

        foreach (var kept in subgraph.Inputs.Concat(subgraph.Outputs)) last.Remove(kept);
        var releases = last.ToLookup(static pair => pair.Value, static pair => pair.Key);
        return [.. steps.Select((step, i) => step with { Releases = [.. releases[i]] })];
    }

    // A subgraph that calls itself would never end, and each has its tensors once.
    static void CheckCalls(LiteModel model)
    {
        var states = new int[model.Subgraphs.Length];
        for (var i = 0; i < states.Length; i++) Visit(i, 0);

        void Visit(int index, int depth)
        {
            if (states[index] == 2) return;
            if (states[index] == 1 || depth > 64) throw Circle();
            states[index] = 1;
            var called = model.Subgraphs[index].Operators.SelectMany(op => ControlFlow.Callees(op, model));
            foreach (var callee in called) Visit(callee, depth + 1);
            states[index] = 2;
        }
    }

    static NnException Circle() =>
        new(NnErrno.InvalidEncoding, "the TensorFlow Lite model's subgraphs call each other in a circle or too deeply");
}

/// <summary>An operator with its kernel.</summary>
/// <param name="Releases">Tensors that nobody reads after it.</param>
sealed record Step(OperatorSpec Spec, Kernel Kernel, int[] Releases);
