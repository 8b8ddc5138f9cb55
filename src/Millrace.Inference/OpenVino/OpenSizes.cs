namespace Millrace.Inference.OpenVino;

/// <summary>
/// How many boxes are selected is seen only when they are, and the file tells the most that there can be. So the sizes that
/// are declared from there on say nothing.
/// </summary>
static class OpenSizes
{
    /// <summary>The net with open sizes where the file's are not to be relied on.</summary>
    public static IrNet Of(IrNet net)
    {
        var open = new HashSet<string>();
        var next = new Queue<string>(net.Layers.Where(layer => layer.Type == "NonMaxSuppression").Select(layer => layer.Id));
        if (next.Count == 0) return net;
        var readers = net.Edges.ToLookup(edge => edge.Value.Layer, edge => edge.Key.Layer);
        while (next.TryDequeue(out var id))
        {
            if (!open.Add(id)) continue;
            foreach (var reader in readers[id]) next.Enqueue(reader);
        }

        return new([.. net.Layers.Select(layer => open.Contains(layer.Id) ? Opened(layer) : layer)], net.Edges);
    }

    static IrLayer Opened(IrLayer layer) => layer with
    {
        Outputs = [.. layer.Outputs.Select(port => port with { Dimensions = [.. port.Dimensions.Select(_ => -1L)] })],
    };
}
