namespace Millrace.Wasm.Text.Modules;

/// <summary>The custom section <c>name</c>, made of the identifiers (core specification, section 7.4.1).</summary>
static class NameSection
{
    /// <summary>The section's contents; empty where nothing has a name.</summary>
    public static ReadOnlySpan<byte> Write(ModuleScope scope)
    {
        var output = new BinaryOutput();
        output.Name("name");
        var empty = output.Length;
        if (scope.ModuleName is { } name) WriteModule(output, name);
        WriteNames(output, 1, scope.Functions);
        WriteLocals(output, 2, scope.Locals);
        WriteNames(output, 4, scope.Types);
        WriteNames(output, 5, scope.Tables);
        WriteNames(output, 6, scope.Memories);
        WriteNames(output, 7, scope.Globals);
        WriteNames(output, 8, scope.Elements);
        WriteNames(output, 9, scope.Datas);
        WriteLocals(output, 10, NamedFields(scope));
        WriteNames(output, 11, scope.Tags);
        return output.Length == empty ? [] : output.Span;
    }

    static SortedDictionary<uint, IndexSpace> NamedFields(ModuleScope scope)
    {
        var named = new SortedDictionary<uint, IndexSpace>();
        foreach (var (type, fields) in scope.Fields)
        {
            if (fields.Names.Count > 0) named.Add(type, fields);
        }

        return named;
    }

    static void WriteModule(BinaryOutput output, string name)
    {
        var body = new BinaryOutput();
        body.Name(name);
        output.Byte(0);
        output.Sized(body.Span);
    }

    static void WriteNames(BinaryOutput output, int id, IndexSpace space)
    {
        if (space.Names.Count == 0) return;
        var body = new BinaryOutput();
        WriteMap(body, space);
        output.Byte(id);
        output.Sized(body.Span);
    }

    static void WriteLocals(BinaryOutput output, int id, SortedDictionary<uint, IndexSpace> spaces)
    {
        if (spaces.Count == 0) return;
        var body = new BinaryOutput();
        body.Unsigned((ulong)spaces.Count);
        foreach (var (owner, space) in spaces)
        {
            body.Unsigned(owner);
            WriteMap(body, space);
        }

        output.Byte(id);
        output.Sized(body.Span);
    }

    static void WriteMap(BinaryOutput output, IndexSpace space)
    {
        output.Unsigned((ulong)space.Names.Count);
        foreach (var (index, name) in space.Names)
        {
            output.Unsigned(index);
            output.Name(name);
        }
    }
}
