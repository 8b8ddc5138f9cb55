using System.Collections.Frozen;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>All operators by their names.</summary>
static class OperatorTable
{
    static readonly FrozenDictionary<string, Operator> ByName =
        new[]
        {
            Sources.Rows, Arithmetic.Rows, Activations.Rows, Comparisons.Rows, Reductions.Rows, Products.Rows, Shaping.Rows, Slicing.Rows,
            Blocks.Rows, Selecting.Rows, Sorting.Rows, Convolutions.Rows, Pooling.Rows, Normalizing.Rows, Resizing.Rows, Cropping.Rows,
            Quantizing.Rows,
        }
        .SelectMany(rows => rows)
        .SelectMany(row => row.Names, (row, name) => KeyValuePair.Create(name, row))
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>An operator; null where it is not in the set.</summary>
    public static Operator? Find(string name) => ByName.GetValueOrDefault(name);
}
