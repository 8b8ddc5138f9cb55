using System.Diagnostics;
using System.Text;
using Millrace.Wasm;

namespace Millrace.Fuzz;

/// <summary>Makes a module smaller on which two engines differ, as long as they still do, and as long as there is time.</summary>
sealed class Reducer(Comparison comparison, string mode, TimeSpan limit)
{
    readonly Stopwatch _clock = Stopwatch.StartNew();

    static readonly string[] Leaves =
        ["(nop)", "(i32.const 0)", "(i64.const 0)", "(f32.const 0)", "(f64.const 0)", "(v128.const i64x2 0 0)", "(i32.const 1)"];

    /// <summary>A smaller module that the same calls tell apart.</summary>
    public async Task<GeneratedModule> ReduceAsync(GeneratedModule module)
    {
        var calls = module.Calls;
        for (var i = calls.Length - 1; i >= 0; i--)
        {
            var fewer = module with { Calls = module.Calls.RemoveAt(i) };
            if (await DiffersAsync(fewer)) module = fewer;
        }

        var tree = Tree.Parse(module.Wat);
        for (var isSmaller = true; isSmaller;)
        {
            isSmaller = false;
            // Large parts first. What was replaced is not walked any more.
            foreach (var part in tree.All().Where(part => part.IsList).OrderByDescending(part => part.Size).ToList())
                isSmaller |= await ShrinkAsync(tree, part, module);
        }

        return module with { Wat = tree.ToString() };
    }

    async Task<bool> ShrinkAsync(Tree tree, Tree part, GeneratedModule module)
    {
        if (_clock.Elapsed > limit || !part.IsList || part.Parent is not { } parent || !parent.Children.Contains(part)) return false;
        var at = parent.Children.IndexOf(part);
        IEnumerable<Tree?> others = [null, .. part.Children.Where(child => child.IsList),
            .. part.Size > 3 ? Leaves.Select(Tree.Parse) : []];
        foreach (var other in others)
        {
            parent.Children.RemoveAt(at);
            if (other is not null) parent.Insert(at, other);
            if (await DiffersAsync(module with { Wat = tree.ToString() })) return true;
            if (other is not null) parent.Children.RemoveAt(at);
            parent.Insert(at, part);
        }

        return false;
    }

    async Task<bool> DiffersAsync(GeneratedModule module)
    {
        try
        {
            return await comparison.CompareAsync(mode, WatText.ToBinary(module.Wat), module) is { } found
                && !found.Ours.StartsWith("compile:", StringComparison.Ordinal)
                && !found.Theirs.StartsWith("compile:", StringComparison.Ordinal);
        }
        catch (WasmException)
        {
            return false; // no module any more
        }
    }

    /// <summary>An S-expression.</summary>
    sealed class Tree
    {
        readonly string _atom;

        Tree(string atom) => _atom = atom;

        public List<Tree> Children { get; } = [];

        public Tree? Parent { get; private set; }

        public bool IsList => _atom.Length == 0;

        public int Size => 1 + Children.Sum(child => child.Size);

        public void Insert(int at, Tree child)
        {
            child.Parent = this;
            Children.Insert(at, child);
        }

        public IEnumerable<Tree> All() => Children.SelectMany(child => child.All()).Append(this);

        public static Tree Parse(string text)
        {
            var around = new Stack<Tree>([new Tree("")]);
            for (var at = 0; at < text.Length;)
            {
                if (char.IsWhiteSpace(text[at]))
                {
                    at++;
                }
                else if (text[at] == '(')
                {
                    var list = new Tree("");
                    around.Peek().Insert(around.Peek().Children.Count, list);
                    around.Push(list);
                    at++;
                }
                else if (text[at] == ')')
                {
                    around.Pop();
                    at++;
                }
                else
                {
                    var end = text[at] == '"' ? text.IndexOf('"', at + 1) + 1 : text.IndexOfAny([' ', '\n', '(', ')'], at);
                    around.Peek().Insert(around.Peek().Children.Count, new Tree(text[at..end]));
                    at = end;
                }
            }

            return around.Pop().Children[0];
        }

        public override string ToString()
        {
            if (!IsList) return _atom;
            var text = new StringBuilder("(").AppendJoin(' ', Children);
            return text.Append(')').ToString();
        }
    }
}
