using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>A body that is computed again and again, with parts cut out of inputs and outputs put together of parts.</summary>
sealed class LoopConversion
{
    readonly Conversion _c;
    readonly IrBody _body;
    readonly OnnxGraphBuilder _graph;
    readonly IrConverter _converter;
    readonly string _iteration;
    readonly string _condition;

    // What an iteration hands to the next: the value before the first, and the result in the body.
    readonly List<(string Initial, string Result)> _carried = [];

    public LoopConversion(Conversion c)
    {
        _c = c;
        _body = c.Layer.Bodies.GetValueOrDefault("body") ?? throw c.Layer.Malformed("body is missing");
        _graph = c.Graph.Body();
        _converter = c.Converter.Body(_body.Net, _graph);
        _iteration = _graph.AddInput("iteration", TensorType.I64, []);
        _condition = _graph.AddInput("condition", TensorType.Bool, []);
    }

    public string[] Convert(bool isLoop)
    {
        string? count = null;
        foreach (var map in _body.Inputs)
        {
            var parameter = _converter.Layer(map.InternalLayer);
            if (map.Purpose == "current_iteration") BindIteration(parameter);
            else if (map.Axis is { } axis) count = Fewer(count, BindPart(parameter, map, axis));
            else BindWhole(parameter, map);
        }

        var (outputs, scanned) = Results();
        var (limit, condition) = isLoop ? Limits(count) : (count ?? throw _c.Layer.Refused("without an input that is cut into parts"), "");
        string[] inputs = [limit, condition, .. _carried.Select(state => state.Initial)];
        var values = _c.Graph.AddNodes("Loop", inputs, _carried.Count + scanned.Count, new OnnxAttribute("body", _graph));
        return [.. outputs.Select(output => output.Map.Axis is { } axis
            ? Joined(values[_carried.Count + output.Index], output.Map, axis, _c.OutputSizes(output.Port).Length) : values[output.Index])];
    }

    // The body's results, in ONNX's order: the condition, what is carried on, what is put together.
    (List<(IrPortMap Map, int Index, int Port)> Outputs, List<IrValue> Scanned) Results()
    {
        var outputs = new List<(IrPortMap Map, int Index, int Port)>();
        var scanned = new List<IrValue>();
        for (var port = 0; port < _c.Layer.Outputs.Length; port++)
        {
            var id = _c.Layer.Outputs[port].Id;
            var map = _body.Outputs.FirstOrDefault(map => map.ExternalPort == id)
                ?? throw _c.Layer.Malformed($"its body has no output {id}");
            if (map.Axis is null)
            {
                outputs.Add((map, Carried(map.InternalLayer, port), port));
                continue;
            }

            outputs.Add((map, scanned.Count, port));
            scanned.Add(Result(map.InternalLayer));
        }

        var condition = _body.Outputs.FirstOrDefault(map => map.Purpose == "execution_condition");
        var goesOn = condition is null ? _condition : Scalar(Result(condition.InternalLayer));
        _graph.AddOutput("condition", goesOn, TensorType.Bool, []);
        foreach (var (_, result) in _carried)
        {
            var value = Result(result);
            _graph.AddOutput(result, value.Name, value.Type, value.Dimensions);
        }

        foreach (var value in scanned) _graph.AddOutput("part", value.Name, value.Type, value.Dimensions);
        return (outputs, scanned);
    }

    // The last iteration's value. Where no parameter takes it, it is carried along all the same.
    int Carried(string result, int port)
    {
        var at = _carried.FindIndex(state => state.Result == result);
        if (at >= 0) return at;
        var (type, sizes) = (_c.OutputType(port), _c.OutputSizes(port));
        if (sizes.Contains(-1)) throw _c.Layer.Refused("with an output of open sizes that is no state");
        _graph.AddInput(result, type, sizes);
        _carried.Add((_c.Constant(type, sizes, 0), result));
        return _carried.Count - 1;
    }

    void BindIteration(IrLayer parameter)
    {
        var port = parameter.Outputs[0];
        var value = _graph.AddNode("Cast", [_iteration], new OnnxAttribute("to", (int)port.Type.ToOnnx()));
        if (port.Dimensions.Length > 0) value = _graph.AddNode("Reshape", [value, _graph.AddInts(port.Dimensions.AsSpan())]);
        _converter.Bind(parameter, new(port.Type, port.Dimensions, value));
    }

    void BindWhole(IrLayer parameter, IrPortMap map)
    {
        var value = _c.Converter.Input(_c.Layer, ControlFlow.InputIndex(_c, map));
        var back = _body.BackEdges.FirstOrDefault(edge => edge.To == parameter.Id);
        if (back.From is null)
        {
            _converter.Bind(parameter, value);
            return;
        }

        var port = parameter.Outputs[0];
        _converter.Bind(parameter, new(port.Type, port.Dimensions, _graph.AddInput(parameter.Name, port.Type, port.Dimensions)));
        _carried.Add((value.Name, back.From));
    }

    // Answers how many parts there are.
    string BindPart(IrLayer parameter, IrPortMap map, int axis)
    {
        var (index, size, port) = (ControlFlow.InputIndex(_c, map), Math.Abs(map.Stride), parameter.Outputs[0]);
        if (size != map.PartSize || size == 0) throw _c.Layer.Refused("with parts that overlap or have gaps");
        axis = _c.Axis(axis, _c.RankOf(index));
        var whole = _c.In(index);
        var length = _c.Op("Gather", [_c.Shape(whole), _c.Graph.AddInt(axis)]);
        string Bound(long place) => place >= 0 ? _c.Graph.AddInt(place) : _c.Add(length, _c.Graph.AddInt(place + 1));
        var (start, end) = (Bound(map.Start), Bound(map.End));
        var step = map.Stride > 0 ? _iteration : _graph.AddNode("Add", [_iteration, _graph.AddInt(1)]);
        var from = _graph.AddNode("Add", [start, _graph.AddNode("Mul", [step, _graph.AddInt(map.Stride)])]);
        var to = _graph.AddNode("Add", [from, _graph.AddInt(size)]);
        var row = _graph.AddInts(1);
        var part = _graph.AddNode(
            "Slice", [whole, _graph.AddNode("Reshape", [from, row]), _graph.AddNode("Reshape", [to, row]), _graph.AddInts(axis)]);
        _converter.Bind(parameter, new(port.Type, port.Dimensions, part));
        return _c.Div(_c.Op("Abs", [_c.Sub(end, start)]), _c.Graph.AddInt(size));
    }

    // Each input is cut into as many; where one is not, the loop ends with the shortest.
    string Fewer(string? count, string other) => count is null ? other : _c.Op("Min", [count, other]);

    (string Limit, string Condition) Limits(string? count)
    {
        var trips = _c.Reshape(_c.Int64(0));
        // Below zero there is no limit.
        trips = _c.Where(_c.Op("Less", [trips, _c.Graph.AddInt(0)]), _c.Graph.AddInt(long.MaxValue), trips);
        if (count is not null) trips = _c.Op("Min", [trips, count]);
        return (trips, _c.Reshape(_c.As(_c.In(1), _c.TypeOf(1), TensorType.Bool)));
    }

    IrValue Result(string id) => _converter.Input(_converter.Layer(id), 0);

    string Scalar(IrValue value) => _graph.AddNode("Reshape", [value.Name, _graph.AddInts()]);

    // ONNX puts the parts one above the other; they belong beside each other along an axis.
    string Joined(string parts, IrPortMap map, int axis, int rank)
    {
        axis = _c.Axis(axis, rank);
        if (map.Stride < 0) parts = _c.Slice(parts, 0, -1, long.MinValue, -1);
        long[] order = [.. Enumerable.Range(1, axis).Select(at =>
            (long)at), 0, .. Enumerable.Range(axis + 1, rank - axis).Select(at => (long)at)];
        var ordered = _c.Transpose(parts, order);
        var shape = _c.Shape(ordered);
        var joined = _c.Concat(0, _c.Slice(shape, 0, 0, axis), _c.Ints(-1), _c.Slice(shape, 0, axis + 2, long.MaxValue));
        return _c.Op("Reshape", [ordered, joined]);
    }
}
