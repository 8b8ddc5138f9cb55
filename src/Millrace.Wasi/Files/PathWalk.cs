using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>Where a path leads: the directory of its last name, the name, and what is there, if anything.</summary>
/// <param name="Parent">The directory that the last name stands in.</param>
/// <param name="Name">The last name; <c>.</c> when the path names a directory it came through.</param>
/// <param name="Node">What the name stands for, or null.</param>
/// <param name="IsDirectoryNamed">Whether the path ends in a slash, and so must name a directory.</param>
readonly record struct Place<TNode>(TNode Parent, string Name, TNode? Node, bool IsDirectoryNamed)
    where TNode : class;

/// <summary>A tree that paths are walked in.</summary>
interface IPathTree<TNode> where TNode : class
{
    /// <summary>The entry of that name, or null.</summary>
    TNode? Find(TNode directory, string name);

    /// <summary>Whether it is a directory, a link or something else.</summary>
    Filetype TypeOf(TNode node);

    /// <summary>What a link says.</summary>
    string ContentOf(TNode link);
}

/// <summary>
/// Follows a path name by name from a directory that it may not leave: the directories gone through stand on a stack,
/// and going up from the first one is refused. Links are followed by putting their text before the rest of the path.
/// </summary>
static class PathWalk
{
    const int LinksMax = 40;

    public static Errno Resolve<TNode>(
        IPathTree<TNode> tree, TNode start, string path, bool follow, out Place<TNode> place) where TNode : class
    {
        place = default;
        var way = new Stack<TNode>([start]);
        var rest = new Stack<string>(Names(path).Reverse());
        var isDirectoryNamed = path.EndsWith('/');
        var links = 0;
        while (rest.TryPop(out var name))
        {
            if (name.Length > PathText.NameLengthMax) return Errno.Nametoolong;
            if (name == ".") continue;
            if (name == "..")
            {
                way.Pop();
                if (way.Count == 0) return Errno.Notcapable;
                continue;
            }

            var node = tree.Find(way.Peek(), name);
            var isLast = rest.Count == 0;
            var isFollowed = !isLast || follow || isDirectoryNamed;
            if (node is not null && isFollowed && tree.TypeOf(node) == Filetype.SymbolicLink)
            {
                if (++links > LinksMax) return Errno.Loop;
                var content = tree.ContentOf(node);
                if (content.StartsWith('/')) return Errno.Notcapable;
                if (isLast && content.EndsWith('/')) isDirectoryNamed = true;
                foreach (var part in Names(content).Reverse()) rest.Push(part);
                continue;
            }

            if (isLast)
            {
                place = new(way.Peek(), name, node, isDirectoryNamed);
                return isDirectoryNamed && node is not null && tree.TypeOf(node) != Filetype.Directory
                    ? Errno.Notdir
                    : Errno.Success;
            }

            if (node is null) return Errno.Noent;
            if (tree.TypeOf(node) != Filetype.Directory) return Errno.Notdir;
            way.Push(node);
        }

        place = new(way.Peek(), ".", way.Peek(), true);
        return Errno.Success;
    }

    static string[] Names(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);
}
