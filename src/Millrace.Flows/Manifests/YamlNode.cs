using System.Collections.Immutable;

namespace Millrace.Flows.Manifests;

/// <summary>Where a node of a manifest begins; both count from 1.</summary>
readonly record struct Place(string File, int Line, int Column)
{
    public ManifestException Problem(string sentence) => new(File, Line, Column, sentence);
}

/// <summary>A manifest's text as a tree in which every node knows its place.</summary>
abstract record YamlNode(Place At)
{
    public abstract string Kind { get; }
}

/// <param name="IsPlain">Written without quotes: <c>true</c> and <c>12</c> are then no strings.</param>
sealed record YamlScalar(Place At, string Text, bool IsPlain) : YamlNode(At)
{
    public override string Kind => "a single value";
}

sealed record YamlList(Place At, ImmutableArray<YamlNode> Items) : YamlNode(At)
{
    public override string Kind => "a list";
}

sealed record YamlMap(Place At, ImmutableArray<YamlEntry> Entries) : YamlNode(At)
{
    public override string Kind => "a map";
}

sealed record YamlEntry(YamlScalar Key, YamlNode Value);
