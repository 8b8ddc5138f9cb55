using System.Collections.Immutable;

namespace Millrace.Wasm.Ahead;

/// <summary>Gives out the cells of an image's <see cref="LinkedNumber"/>s while it is compiled.</summary>
/// <param name="first">The first cell behind those of globals.</param>
/// <param name="known">Those of the image, where it exists already.</param>
sealed class LinkedCells(int first, ImmutableArray<LinkedNumber> known)
{
    readonly List<LinkedNumber> _numbers = [.. known];
    readonly Dictionary<LinkedNumber, int> _cells =
        known.Select((number, i) => (number, i)).ToDictionary(pair => pair.number, pair => first + pair.i);

    /// <summary>All so far, in the order of their cells.</summary>
    public ImmutableArray<LinkedNumber> Numbers => [.. _numbers];

    public int CellOf(LinkedNumber number)
    {
        if (_cells.TryGetValue(number, out var cell)) return cell;
        cell = first + _numbers.Count;
        _numbers.Add(number);
        return _cells[number] = cell;
    }
}
