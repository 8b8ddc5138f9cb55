namespace Millrace.Inference.Worker;

/// <summary>
/// Counts the cells of a context's memory. Sequences that begin alike share cells; one is free when nobody holds it.
/// </summary>
sealed class ContextCells
{
    readonly int[] _holders;
    readonly Stack<int> _free;

    public ContextCells(int count)
    {
        _holders = new int[count];
        _free = new(Enumerable.Range(0, count));
    }

    public int Free => _free.Count;

    public void Take(List<int> cells, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var cell = _free.Pop();
            _holders[cell] = 1;
            cells.Add(cell);
        }
    }

    public void Share(List<int> source, List<int> target, int count)
    {
        foreach (var cell in source.Take(count))
        {
            _holders[cell]++;
            target.Add(cell);
        }
    }

    /// <summary>Gives up the cells from a position on.</summary>
    public void Release(List<int> cells, int from = 0)
    {
        for (var i = from; i < cells.Count; i++)
        {
            if (--_holders[cells[i]] == 0) _free.Push(cells[i]);
        }

        cells.RemoveRange(from, cells.Count - from);
    }
}
