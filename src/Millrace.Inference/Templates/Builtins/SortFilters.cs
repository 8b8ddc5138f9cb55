using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

/// <summary>Filters that compare elements; case is ignored unless asked for.</summary>
static class SortFilters
{
    public static object Sort(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("sort", "reverse?", "case_sensitive?", "attribute?");
        var key = Keys.OfSeveral(evaluator, bound[2], !Arguments.Flag(bound[1], false));
        return new PyList(Sorted(Sequences.ToList(value, evaluator.Budget), key, Arguments.Flag(bound[0], false), evaluator.Budget));
    }

    public static object DictSort(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("dictsort", "case_sensitive?", "by?", "reverse?");
        var by = bound[1] is null ? "key" : PyType.Text(bound[1]!);
        if (by is not ("key" or "value"))
            throw new TemplateException("FilterArgumentError", "You can only sort by either \"key\" or \"value\"");
        if (value is Undefined missing) throw missing.Error;
        if (value is not PyDict dict)
            throw new TemplateException("AttributeError", $"{Repr.OfText(PyType.Name(value))} object has no attribute 'items'");
        var fold = Keys.Of(evaluator, null, null, !Arguments.Flag(bound[0], false));
        var pairs = Sequences.ToList(new DictView(dict, "items"), evaluator.Budget);
        return new PyList(Sorted(
            pairs, pair => fold(((PyTuple)pair).Elements[by == "key" ? 0 : 1]), Arguments.Flag(bound[2], false), evaluator.Budget));
    }

    /// <summary>Stable in both directions.</summary>
    static object[] Sorted(List<object> elements, Func<object, object> key, bool isReversed, Budget budget)
    {
        var keys = elements.Select(key).ToArray();
        var order = Merged(Enumerable.Range(0, keys.Length).ToArray());
        return [.. order.Select(i => elements[i])];

        // The one behind is asked whether it is less, as the reference's order of operands in its errors tells.
        bool GoesFirst(int right, int left)
        {
            budget.Step();
            return (isReversed ? Equality.Compare(keys[left], keys[right], "<") : Equality.Compare(keys[right], keys[left], "<")) < 0;
        }

        int[] Merged(int[] indices)
        {
            if (indices.Length < 2) return indices;
            var (left, right) = (Merged(indices[..(indices.Length / 2)]), Merged(indices[(indices.Length / 2)..]));
            var merged = new int[indices.Length];
            for (int l = 0, r = 0; l + r < merged.Length;)
            {
                var takesRight = l == left.Length || (r < right.Length && GoesFirst(right[r], left[l]));
                merged[l + r] = takesRight ? right[r++] : left[l++];
                if (l + r == merged.Length) break;
            }

            return merged;
        }
    }

    public static object Unique(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("unique", "case_sensitive?", "attribute?");
        var key = Keys.Of(evaluator, bound[1], null, !Arguments.Flag(bound[0], false));
        var seen = new HashSet<object>(Equality.Keys);
        return new Generator(Sequences.Iterate(value).Where(element => seen.Add(key(element))), evaluator.Budget);
    }

    public static object Extreme(Evaluator evaluator, object value, Arguments arguments, string sign)
    {
        var bound = arguments.Bind(sign == "<" ? "min" : "max", "case_sensitive?", "attribute?");
        var key = Keys.Of(evaluator, bound[1], null, !Arguments.Flag(bound[0], false));
        object? best = null, bestKey = null;
        foreach (var element in Sequences.Iterate(value))
        {
            evaluator.Budget.Step();
            var elementKey = key(element);
            if (bestKey is not null && !Operators.Holds(sign, elementKey, bestKey, evaluator.Budget)) continue;
            (best, bestKey) = (element, elementKey);
        }

        return best ?? new Undefined("No aggregated item, sequence was empty.");
    }

    public static object GroupBy(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("groupby", "attribute", "default?", "case_sensitive?");
        var key = Keys.Of(evaluator, bound[0], bound[1], !Arguments.Flag(bound[2], false));
        var shown = Keys.Of(evaluator, bound[0], bound[1]);
        var groups = new List<object>();
        var group = new List<object>();
        object? last = null;
        foreach (var element in Sorted(Sequences.ToList(value, evaluator.Budget), key, false, evaluator.Budget))
        {
            var current = key(element);
            if (last is not null && !Equality.Same(last, current)) Close();
            last = current;
            group.Add(element);
        }

        if (group.Count > 0) Close();
        return new PyList(groups);

        void Close()
        {
            groups.Add(new PyTuple(shown(group[0]), new PyList(group)) { IsGroup = true });
            group = [];
        }
    }
}
