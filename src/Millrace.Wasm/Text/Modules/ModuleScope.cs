namespace Millrace.Wasm.Text.Modules;

/// <summary>The index spaces of a module.</summary>
sealed class ModuleScope
{
    public IndexSpace Types { get; } = new("type");

    public IndexSpace Functions { get; } = new("function", "func");

    public IndexSpace Tables { get; } = new("table");

    public IndexSpace Memories { get; } = new("memory");

    public IndexSpace Globals { get; } = new("global");

    public IndexSpace Tags { get; } = new("tag");

    public IndexSpace Elements { get; } = new("elem segment");

    public IndexSpace Datas { get; } = new("data segment");

    /// <summary>Field names of the struct types, by type index.</summary>
    public Dictionary<uint, IndexSpace> Fields { get; } = [];

    /// <summary>Names of locals, by function index.</summary>
    public SortedDictionary<uint, IndexSpace> Locals { get; } = [];

    /// <summary>The name of the module itself.</summary>
    public string? ModuleName { get; set; }

    /// <summary>The space of an import or export kind.</summary>
    public IndexSpace Of(ExternKind kind) => kind switch
    {
        ExternKind.Function => Functions,
        ExternKind.Table => Tables,
        ExternKind.Memory => Memories,
        ExternKind.Global => Globals,
        ExternKind.Tag => Tags,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
