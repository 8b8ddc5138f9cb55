using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Millrace.Wasm.Ahead;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Dwarf;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Runtime.Objects;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Compilation;

/// <summary>A module's code as the runtime holds it.</summary>
sealed class CompiledModule
{
    // Crossings may stand in the same image, and have other names.
    const char FunctionPrefix = 'f';

    static readonly ConditionalWeakTable<Assembly, CompiledModule> ByAssembly = [];

    readonly ModuleDefinition _definition;
    readonly EngineOptions _options;
    readonly nint[] _pointers;
    readonly ImageLinks? _links;
    ConcurrentDictionary<int, StructFactory>? _factories;

    public CompiledModule(ModuleDefinition definition, LinkedTypes types, byte[]? image, EngineOptions options)
    {
        (_definition, Types, _options) = (definition, types, options);
        _pointers = new nint[definition.Functions.Length - definition.ImportedFunctionCount];
        if (image is null) return;
        Image = new GuestImage(image);
        ByAssembly.Add(Image.Assembly, this);
    }

    /// <summary>A module whose image was compiled ahead of time; other modules of this process may share it.</summary>
    public CompiledModule(ModuleDefinition definition, LinkedTypes types, LoadedImage loaded, EngineOptions options)
        : this(definition, types, image: null, options)
    {
        (Image, _links) = (loaded.Image, loaded.Links);
        LinkedNumbers = new long[_links.Numbers.Length];
        for (var i = 0; i < LinkedNumbers.Length; i++) LinkedNumbers[i] = _links.Numbers[i].In(types);
        var method = _pointers.Length;
        for (var i = 0; i < _links.Crossings.Length; i++)
        {
            var signature = types.SignatureOf(_links.Crossings[i]);
            if (signature.Crossings is null) CrossingCompiler.Use(Image, method, signature);
            method += 2;
        }
        ByAssembly.AddOrUpdate(Image.Assembly, this);
    }

    /// <summary>The code; null where the module defines no function.</summary>
    public GuestImage? Image { get; }

    /// <summary>What the cells behind those of globals hold.</summary>
    public long[] LinkedNumbers { get; } = [];

    /// <summary>Whether its machine code was compiled ahead of time.</summary>
    public bool IsAhead => _links is not null;

    /// <summary>The module's types.</summary>
    public LinkedTypes Types { get; }

    /// <summary>Imported and defined functions.</summary>
    public int FunctionCount => _definition.Functions.Length;

    public Signature SignatureOf(int function) => Types.SignatureOf(_definition.Functions[function].TypeIndex);

    public Signature TagSignature(int tag) => Types.SignatureOf(_definition.Tags[tag].TypeIndex);

    /// <summary>The code of a defined function; the machine code is made when it is first called.</summary>
    public nint PointerTo(int function)
    {
        ref var pointer = ref _pointers[function - _definition.ImportedFunctionCount];
        if (pointer == 0) pointer = Image!.PointerTo(function - _definition.ImportedFunctionCount);
        return pointer;
    }

    /// <summary>What makes structs of a type that constant expressions make.</summary>
    public StructFactory FactoryOf(int typeIndex) => Factories.GetOrAdd(
        typeIndex, static (type, module) => new StructFactory(
            module.Image!.Assembly.GetType(StructClasses.NameOf(module.Types, type), throwOnError: true)!,
            module._definition.Types[type], module.Types.SlotOf(type)),
        this);

    // Most modules make none: even to make an empty one costs a fresh process a millisecond.
    ConcurrentDictionary<int, StructFactory> Factories =>
        _factories ?? Interlocked.CompareExchange(ref _factories, [], null) ?? _factories;

    /// <summary>Whether the module carries line tables.</summary>
    public bool HasLines => LineTable.IsIn(_definition);

    /// <summary>Source lines of the code; empty where the module has none.</summary>
    public LineTable Lines => _definition.Lines;

    /// <summary>What the code of those functions stands for.</summary>
    public Dictionary<int, CodeMap> MapsOf(IEnumerable<int> functions) =>
        ModuleCompiler.MapsOf(_options, Validated(), Types, KnownCells(), functions)
            .ToDictionary(pair => pair.Function, pair => pair.Map);

    /// <summary>The function that has the instruction at that offset of the code section.</summary>
    public int FunctionAt(int codeOffset)
    {
        var at = codeOffset + _definition.CodeSection.Start;
        var (low, high) = (_definition.ImportedFunctionCount, FunctionCount - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_definition.Functions[middle].Body.End <= at) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    // Code that was compiled before is not read again until somebody asks for lines.
    ModuleDefinition Validated()
    {
        if (_links is null) return _definition;
        var definition = Decoder.Decode(_definition.Bytes);
        Validator.Validate(definition);
        return definition;
    }

    LinkedCells? KnownCells() => _links is null ? null : new(_definition.Globals.Length, _links.Numbers);

    public string? NameOf(int function) => _definition.FunctionName(function);

    /// <summary>The module whose function, or constructor of an object, that is, if any.</summary>
    public static CompiledModule? Of(MethodBase method) =>
        (method.IsConstructor || method.Name[0] == FunctionPrefix)
        && ByAssembly.TryGetValue(method.Module.Assembly, out var module) ? module : null;

    public static string MethodName(int function) =>
        string.Create(CultureInfo.InvariantCulture, $"{FunctionPrefix}{function}");

    public static int FunctionIndexOf(MethodBase method) =>
        int.Parse(method.Name.AsSpan(1), CultureInfo.InvariantCulture);
}
