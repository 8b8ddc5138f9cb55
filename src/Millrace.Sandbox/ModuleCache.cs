using System.Security.Cryptography;
using Millrace.Wasm;

namespace Millrace.Sandbox;

/// <summary>
/// Compiled modules by the SHA-256 of their bytes. Each is compiled once, also when many ask at a time; past the
/// capacity the one that was unused longest goes. Thread-safe.
/// </summary>
public sealed class ModuleCache(Engine engine, int capacity)
{
    readonly Dictionary<string, LinkedListNode<(string Key, Lazy<Module> Module)>> _entries = [];
    readonly LinkedList<(string Key, Lazy<Module> Module)> _byUse = [];

    /// <summary>Modules held now.</summary>
    public int Count
    {
        get
        {
            lock (_entries) return _entries.Count;
        }
    }

    /// <summary>The compiled module of these bytes.</summary>
    /// <exception cref="MalformedException">The bytes are not a module.</exception>
    /// <exception cref="InvalidException">The module breaks a typing rule.</exception>
    public Module Get(ReadOnlyMemory<byte> bytes)
    {
        var key = Convert.ToHexString(SHA256.HashData(bytes.Span));
        var module = Find(key, bytes);
        try
        {
            return module.Value;
        }
        catch
        {
            // What does not compile is not worth a place.
            Remove(key, module);
            throw;
        }
    }

    Lazy<Module> Find(string key, ReadOnlyMemory<byte> bytes)
    {
        lock (_entries)
        {
            if (_entries.TryGetValue(key, out var node))
            {
                _byUse.Remove(node);
            }
            else
            {
                node = new((key, new(() => Module.Compile(engine, bytes))));
                _entries.Add(key, node);
                if (_entries.Count > capacity) RemoveLast();
            }

            _byUse.AddFirst(node);
            return node.Value.Module;
        }
    }

    void RemoveLast()
    {
        if (_byUse.Last is not { } last) return;
        _byUse.RemoveLast();
        _entries.Remove(last.Value.Key);
    }

    void Remove(string key, Lazy<Module> module)
    {
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out var node) || node.Value.Module != module) return;
            _byUse.Remove(node);
            _entries.Remove(key);
        }
    }
}
