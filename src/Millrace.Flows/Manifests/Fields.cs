using System.Collections.Immutable;

namespace Millrace.Flows.Manifests;

/// <summary>
/// The keys of one map, taken one by one; <see cref="RefuseOthers"/> then names what was not asked for. Readers of
/// manifests are lists of such calls, so that the code reads like the format.
/// </summary>
sealed class Fields
{
    readonly YamlMap _map;
    readonly string _what;
    readonly List<string> _known = [];

    /// <param name="what">Names the map in messages, as in "unknown key 'x' in a trigger".</param>
    public Fields(YamlMap map, string what)
    {
        _map = map;
        _what = what;
    }

    public Fields(YamlNode node, string what) : this(Reads.Map(node, what), what) { }

    public Place At => _map.At;

    public YamlNode? Optional(string key)
    {
        _known.Add(key);
        foreach (var entry in _map.Entries)
        {
            if (entry.Key.Text == key) return entry.Value;
        }
        return null;
    }

    public YamlNode Required(string key) =>
        Optional(key) ?? throw At.Problem($"{_what} needs the key '{key}'");

    public string? Text(string key) => Optional(key) is { } node ? Reads.Text(node, key) : null;

    public string RequiredText(string key) => Reads.Text(Required(key), key);

    public bool Flag(string key) => Optional(key) is { } node && Reads.Flag(node, key);

    public ImmutableArray<string> Texts(string key) =>
        Optional(key) is { } node ? Reads.Texts(node, key) : [];

    /// <summary>Refuses a key that a person may expect, with the sentence that says why it is not there.</summary>
    public void Refuse(string key, string sentence)
    {
        foreach (var entry in _map.Entries)
        {
            if (entry.Key.Text == key) throw entry.Key.At.Problem(sentence);
        }
    }

    public void RefuseOthers()
    {
        foreach (var entry in _map.Entries)
        {
            if (_known.Contains(entry.Key.Text)) continue;
            throw entry.Key.At.Problem(
                $"unknown key '{entry.Key.Text}' in {_what}; known are {string.Join(", ", _known)}");
        }
    }
}
