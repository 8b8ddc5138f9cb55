using System.Collections.Immutable;

namespace Millrace.Inference.OpenVino;

/// <summary>What a model keeps between computations: pairs of ReadValue and Assign, by their variable.</summary>
sealed class IrStates
{
    readonly IrConverter _converter;
    readonly List<(IrLayer Assign, ImmutableArray<long> Sizes)> _assigns = [];

    /// <summary>Makes the states, before anything is converted.</summary>
    public IrStates(IrNet net, IrConverter converter)
    {
        _converter = converter;
        var assigns = new Dictionary<string, IrLayer>();
        foreach (var layer in net.Layers.Where(layer => layer.Type == "Assign")) assigns.TryAdd(Variable(layer), layer);
        foreach (var read in net.Layers.Where(layer => layer.Type == "ReadValue"))
        {
            var variable = Variable(read);
            var assign = assigns.GetValueOrDefault(variable);
            if (read.Outputs.Length != 1) throw read.Malformed("it has not one output");
            var port = read.Outputs[0];
            if (read.Inputs.Length == 0) throw read.Refused("without an initial value");
            var initial = converter.Fold(read, 0) ?? throw read.Refused("with an initial value that depends on the model's inputs");
            if (assign is null)
            {
                converter.Bind(read, converter.Constant(initial, read.Name));
                continue;
            }

            var name = converter.Graph.AddState(variable, initial, port.Dimensions);
            converter.Bind(read, new(port.Type, port.Dimensions, name));
            _assigns.Add((assign, port.Dimensions));
        }
    }

    /// <summary>Gives each state what the model assigns to it.</summary>
    public void Finish()
    {
        foreach (var (assign, sizes) in _assigns) _converter.Graph.SetNextState(_converter.Input(assign, 0).Name, sizes);
    }

    static string Variable(IrLayer layer) =>
        layer.Attributes.GetValueOrDefault("variable_id") ?? throw layer.Malformed("variable_id is missing");
}
