using System.Reflection.Metadata;

namespace Millrace.Wasm.Verification;

/// <summary>
/// The protected blocks of a method with their filters and handlers, and where control may go among them. Each block is
/// followed by its filter and that by its handler.
/// </summary>
sealed class Regions
{
    public const int None = -1;
    const int CountMax = 4096;
    const int DepthMax = 3 * 256;

    readonly List<Area> _areas = [];
    readonly List<(int At, int Area)> _edges = []; // from there on code is in that area

    /// <summary>What an area is to its region.</summary>
    public enum Part : byte
    {
        Try,
        Filter,
        Handler,
    }

    /// <summary>A part of a region.</summary>
    public readonly record struct Area(Part Part, int Start, int End, int Region, int Parent);

    public int Count => _areas.Count / 3;

    public bool IsEmpty => _areas.Count == 0;

    public Area this[int area] => _areas[area];

    /// <summary>The areas of a region, in its order.</summary>
    public (Area Try, Area Filter, Area Handler) Of(int region) =>
        (_areas[3 * region], _areas[(3 * region) + 1], _areas[(3 * region) + 2]);

    public void Read(IReadOnlyList<ExceptionRegion> regions, CodeScan scan, int codeLength)
    {
        _areas.Clear();
        _edges.Clear();
        if (regions.Count == 0) return;
        if (regions.Count > CountMax) throw new Refusal("too many protected blocks");
        foreach (var region in regions)
        {
            var (start, filter, handler) = (region.TryOffset, region.FilterOffset, region.HandlerOffset);
            var end = handler + region.HandlerLength;
            var isFine = region.Kind == ExceptionRegionKind.Filter && start + region.TryLength == filter
                && start < filter && filter < handler && handler < end && scan.IsInstruction(start)
                && scan.IsInstruction(filter) && scan.IsInstruction(handler)
                && (end == codeLength || scan.IsInstruction(end));
            if (!isFine) throw new Refusal("a protected block of another form");
            var number = _areas.Count / 3;
            _areas.Add(new(Part.Try, start, filter, number, None));
            _areas.Add(new(Part.Filter, filter, handler, number, None));
            _areas.Add(new(Part.Handler, handler, end, number, None));
            scan.MarkTarget(start);
            scan.MarkTarget(filter);
            scan.MarkTarget(handler);
        }
        Nest();
    }

    /// <summary>The innermost area of a place.</summary>
    public int AreaAt(int at)
    {
        if (_edges.Count == 0) return None;
        var (low, high) = (0, _edges.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_edges[middle].At <= at) low = middle;
            else high = middle - 1;
        }
        return _edges[low].At <= at ? _edges[low].Area : None;
    }

    /// <summary>Whether code goes on from an area to a place, or jumps there: within the area, or into protected blocks
    /// at their start.</summary>
    public bool IsReached(int from, int target)
    {
        var area = AreaAt(target);
        while (area != from)
        {
            if (area == None || _areas[area].Part != Part.Try || _areas[area].Start != target) return false;
            area = _areas[area].Parent;
        }
        return true;
    }

    /// <summary>Whether <c>leave</c> goes there: out of protected blocks and handlers.</summary>
    public bool IsLeft(int from, int target)
    {
        while (from != None && _areas[from].Part != Part.Filter)
        {
            from = _areas[from].Parent;
            if (IsReached(from, target)) return true;
        }
        return false;
    }

    /// <summary>Protected blocks that start there.</summary>
    public IEnumerable<int> StartingAt(int at)
    {
        for (var area = AreaAt(at); area != None && _areas[area].Start == at; area = _areas[area].Parent)
            if (_areas[area].Part == Part.Try) yield return _areas[area].Region;
    }

    void Nest()
    {
        var order = Enumerable.Range(0, _areas.Count).ToArray();
        Array.Sort(order, (left, right) => _areas[left].Start != _areas[right].Start
            ? _areas[left].Start.CompareTo(_areas[right].Start)
            : _areas[right].End.CompareTo(_areas[left].End));
        var open = new Stack<int>();
        foreach (var area in order)
        {
            Close(open, _areas[area].Start);
            var parent = open.Count == 0 ? None : open.Peek();
            // Of blocks that begin at one place RyuJIT 10.0.12 crashes.
            if (parent != None
                && (_areas[area].End > _areas[parent].End || _areas[area].Start == _areas[parent].Start))
            {
                throw new Refusal("protected blocks that overlap, or begin at one place");
            }
            if (open.Count == DepthMax) throw new Refusal("protected blocks nested too deep");
            _areas[area] = _areas[area] with { Parent = parent };
            _edges.Add((_areas[area].Start, area));
            open.Push(area);
        }
        Close(open, int.MaxValue);
    }

    void Close(Stack<int> open, int at)
    {
        while (open.Count > 0 && _areas[open.Peek()].End <= at)
        {
            var closed = open.Pop();
            _edges.Add((_areas[closed].End, open.Count == 0 ? None : open.Peek()));
        }
    }
}
