using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Cells without gates: what was given out comes in again, or a window of what was seen.</summary>
static class Recurrent
{
    public static Kernel Rnn(Node node) => Rnn(node, activationField: 0, static _ => null);

    public static Kernel SequenceRnn(Node node)
    {
        var isTimeMajor = node.Options.Bool(0);
        return Rnn(node, activationField: 1, _ => isTimeMajor);
    }

    public static Kernel Svdf(Node node)
    {
        foreach (var index in new[] { 0, 1, 2, 4 }) node.RequireType(node.Input(index), LiteType.Float32);
        var rank = node.Options.Int(0);
        var activation = Cells.Activation(node, 1);
        node.Require(rank > 0, "its rank is not positive");
        return call =>
        {
            var (input, features, times, state) = (call.Input(0), call.Input(1), call.Input(2), call.State(4));
            call.Require(input.Rank == 2 && features.Rank == 2 && times.Rank == 2, "its tensors are no matrices");
            var (batches, filters, memory) = (input.Shape[0], features.Shape[0], times.Shape[1]);
            call.Require(filters % rank == 0 && times.Shape[0] == filters && features.Shape[1] == input.Shape[1], "its tensors do not fit");
            call.Require(memory > 0 && state.Count == (long)batches * filters * memory, "its state has another size");
            var units = filters / rank;
            var y = call.Output(0, batches, units).Write<float>();
            var seen = state.Write<float>();
            for (var batch = 0; batch < batches; batch++)
            {
                call.Cancel.ThrowIfCancellationRequested();
                var x = input.Read<float>().Slice(batch * input.Shape[1], input.Shape[1]);
                var sums = y.Slice(batch * units, units);
                if (call.Optional(3) is { } bias) bias.Read<float>()[..units].CopyTo(sums);
                else sums.Clear();
                for (var filter = 0; filter < filters; filter++)
                {
                    // The oldest goes, the newest comes at the end.
                    var window = seen.Slice((batch * filters + filter) * memory, memory);
                    window[1..].CopyTo(window);
                    window[^1] = Cells.Dot(features.Read<float>().Slice(filter * x.Length, x.Length), x);
                    sums[filter / rank] += Cells.Dot(times.Read<float>().Slice(filter * memory, memory), window);
                }

                foreach (ref var sum in sums) sum = activation(sum);
            }
        };
    }

    static Kernel Rnn(Node node, int activationField, Func<Call, bool?> timeMajor)
    {
        for (var i = 0; i < 5; i++) node.RequireType(node.Input(i), LiteType.Float32);
        var activation = Cells.Activation(node, activationField);
        return call =>
        {
            var (input, weights, recurrent) = (call.Input(0), call.Input(1), call.Input(2));
            var sequence = Sequence.Of(call, input, timeMajor(call));
            var units = weights.Shape[0];
            var output = call.Output(0, Sizes.With(input.Shape, input.Rank - 1, units));
            var y = output.Write<float>();
            var state = call.State(4).Write<float>();
            call.Require(state.Length == sequence.Batches * units, "its state has another size");
            var bias = call.Input(3).Read<float>();
            for (var time = 0; time < sequence.Times; time++)
            {
                call.Cancel.ThrowIfCancellationRequested();
                for (var batch = 0; batch < sequence.Batches; batch++)
                {
                    var row = sequence.Row(time, batch);
                    var x = input.Read<float>().Slice(row * sequence.Depth, sequence.Depth);
                    var hidden = state.Slice(batch * units, units);
                    var next = y.Slice(row * units, units);
                    bias[..units].CopyTo(next);
                    Cells.AddProducts(weights.Read<float>(), x, next);
                    Cells.AddProducts(recurrent.Read<float>(), hidden, next);
                    foreach (ref var value in next) value = activation(value);
                    next.CopyTo(hidden);
                }
            }
        };
    }
}

/// <summary>Rows of an input by time and batch.</summary>
readonly record struct Sequence(int Times, int Batches, int Depth, bool IsTimeMajor)
{
    public static Sequence Of(Call call, LiteTensor input, bool? isTimeMajor)
    {
        call.Require(input.Rank == (isTimeMajor is null ? 2 : 3), "its input has another rank");
        var depth = input.Shape[^1];
        if (isTimeMajor is null) return new Sequence(1, input.Shape[0], depth, true);
        return isTimeMajor.Value
            ? new Sequence(input.Shape[0], input.Shape[1], depth, true) : new Sequence(input.Shape[1], input.Shape[0], depth, false);
    }

    public int Row(int time, int batch) => IsTimeMajor ? time * Batches + batch : batch * Times + time;
}
