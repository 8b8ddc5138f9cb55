using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Long short-term memory: with or without an input gate, peepholes, projection and layer normalization.</summary>
static class Lstm
{
    const int InputGate = 0;
    const int ForgetGate = 1;
    const int CellGate = 2;
    const int OutputGate = 3;

    // Where the inputs of the operator begin.
    const int Weights = 1;
    const int Recurrent = 5;
    const int Peepholes = 9;
    const int Biases = 12;
    const int Projection = 16;
    const int ProjectionBias = 17;
    const int OutputState = 18;
    const int CellState = 19;
    const int Norms = 20;

    public static Kernel Cell(Node node)
    {
        if (node.Options.Byte(3) != 0) throw node.Refuse("of the basic kind");
        return Of(node, static _ => null);
    }

    public static Kernel SequenceOf(Node node)
    {
        var isTimeMajor = node.Options.Bool(3);
        return Of(node, _ => isTimeMajor);
    }

    static Kernel Of(Node node, Func<Call, bool?> timeMajor)
    {
        for (var i = 0; i < node.InputCount; i++)
        {
            if (node.Optional(i) is { } input) node.RequireType(input, LiteType.Float32);
        }

        if (node.Options.Bool(5)) throw node.Refuse("with diagonal recurrent weights");
        var activation = Cells.Activation(node, 0);
        var (cellClip, projectionClip) = (node.Options.Single(1), node.Options.Single(2));
        return call =>
        {
            var sequence = Sequence.Of(call, call.Input(0), timeMajor(call));
            new Run(call, sequence, activation, cellClip, projectionClip).Compute();
        };
    }

    /// <summary>One call: the tensors once and for all steps.</summary>
    ref struct Run
    {
        readonly Call _call;
        readonly Sequence _sequence;
        readonly Func<float, float> _activation;
        readonly float _cellClip;
        readonly float _projectionClip;
        readonly int _cells;
        readonly int _outputs;
        readonly Span<float> _gates;

        public Run(Call call, Sequence sequence, Func<float, float> activation, float cellClip, float projectionClip)
        {
            (_call, _sequence, _activation, _cellClip, _projectionClip) = (call, sequence, activation, cellClip, projectionClip);
            call.Require(
                call.Input(Weights + OutputGate).Rank == 2 && call.Input(Recurrent + OutputGate).Rank == 2,
                "its weights are no matrices");
            _cells = call.Input(Weights + OutputGate).Shape[0];
            _outputs = call.Input(Recurrent + OutputGate).Shape[1];
            _gates = call.Scratch<float>(checked(_cells * 5));
        }

        public readonly void Compute()
        {
            var input = _call.Input(0);
            var y = _call.Output(0, Sizes.With(input.Shape, input.Rank - 1, _outputs)).Write<float>();
            var hidden = _call.State(OutputState).Write<float>();
            var cells = _call.State(CellState).Write<float>();
            for (var time = 0; time < _sequence.Times; time++)
            {
                _call.Cancel.ThrowIfCancellationRequested();
                for (var batch = 0; batch < _sequence.Batches; batch++)
                {
                    var row = _sequence.Row(time, batch);
                    var state = hidden.Slice(batch * _outputs, _outputs);
                    Step(input.Read<float>().Slice(row * _sequence.Depth, _sequence.Depth), state, cells.Slice(batch * _cells, _cells));
                    state.CopyTo(y[(row * _outputs)..]);
                }
            }
        }

        readonly void Step(ReadOnlySpan<float> x, Span<float> hidden, Span<float> cells)
        {
            var open = _gates[.._cells];
            var forget = _gates.Slice(_cells, _cells);
            var candidate = _gates.Slice(_cells * 2, _cells);
            var output = _gates.Slice(_cells * 3, _cells);
            var hasInputGate = _call.Optional(Weights + InputGate) is not null;
            Gate(ForgetGate, x, hidden, cells, forget);
            Gate(CellGate, x, hidden, default, candidate);
            if (hasInputGate) Gate(InputGate, x, hidden, cells, open);
            for (var i = 0; i < cells.Length; i++)
            {
                var kept = Cells.Logistic(forget[i]);
                // Without a gate of its own the input takes what is not kept.
                var taken = hasInputGate ? Cells.Logistic(open[i]) : 1 - kept;
                cells[i] = Clip(cells[i] * kept + _activation(candidate[i]) * taken, _cellClip);
            }

            Gate(OutputGate, x, hidden, cells, output);
            for (var i = 0; i < cells.Length; i++) output[i] = Cells.Logistic(output[i]) * _activation(cells[i]);
            if (_call.Optional(Projection) is not { } projection)
            {
                output[..hidden.Length].CopyTo(hidden);
                return;
            }

            hidden.Clear();
            if (_call.Optional(ProjectionBias) is { } bias) bias.Read<float>()[..hidden.Length].CopyTo(hidden);
            Cells.AddProducts(projection.Read<float>(), output, hidden);
            foreach (ref var value in hidden) value = Clip(value, _projectionClip);
        }

        // Before its squashing: inputs, what was given out before, and the cell itself through a peephole.
        readonly void Gate(int gate, ReadOnlySpan<float> x, ReadOnlySpan<float> hidden, ReadOnlySpan<float> cells, Span<float> sums)
        {
            var norm = _call.Optional(Norms + gate);
            var bias = _call.Input(Biases + gate).Read<float>()[..sums.Length];
            if (norm is null) bias.CopyTo(sums);
            else sums.Clear();
            Cells.AddProducts(_call.Input(Weights + gate).Read<float>(), x, sums);
            Cells.AddProducts(_call.Input(Recurrent + gate).Read<float>(), hidden, sums);
            if (gate != CellGate && _call.Optional(gate == OutputGate ? Peepholes + 2 : Peepholes + gate) is { } peephole)
            {
                var factors = peephole.Read<float>();
                for (var i = 0; i < sums.Length; i++) sums[i] += factors[i] * cells[i];
            }

            if (norm is not null) Normalize(sums, norm.Read<float>(), bias);
        }

        static void Normalize(Span<float> sums, ReadOnlySpan<float> factors, ReadOnlySpan<float> bias)
        {
            const float Least = 1e-8f;
            var (mean, square) = (0f, 0f);
            foreach (var sum in sums) mean += sum;
            mean /= sums.Length;
            foreach (var sum in sums) square += (sum - mean) * (sum - mean);
            var scale = 1 / MathF.Sqrt(square / sums.Length + Least);
            for (var i = 0; i < sums.Length; i++) sums[i] = (sums[i] - mean) * scale * factors[i] + bias[i];
        }

        static float Clip(float value, float bound) => bound > 0 ? Math.Clamp(value, -bound, bound) : value;
    }
}
