using System.Globalization;
using System.Reflection;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>A module's code as the runtime holds it.</summary>
sealed class CompiledModule
{
    readonly ModuleDefinition _definition;
    readonly Signature[] _types;
    readonly GuestLoadContext? _context;
    readonly nint[] _pointers;

    public CompiledModule(ModuleDefinition definition, Signature[] types, byte[]? image)
    {
        (_definition, _types) = (definition, types);
        _pointers = new nint[definition.Functions.Length - definition.ImportedFunctionCount];
        if (image is not null) _context = new GuestLoadContext(image, this);
    }

    /// <summary>Imported and defined functions.</summary>
    public int FunctionCount => _definition.Functions.Length;

    public Signature SignatureOf(int function) => _types[_definition.Functions[function].TypeIndex];

    /// <summary>The code of a defined function; the machine code is made when it is first called.</summary>
    public nint PointerTo(int function)
    {
        ref var pointer = ref _pointers[function - _definition.ImportedFunctionCount];
        if (pointer == 0) pointer = _context!.PointerTo(function - _definition.ImportedFunctionCount);
        return pointer;
    }

    public string? NameOf(int function) => _definition.FunctionName(function);

    public static string MethodName(int function) => function.ToString("'f'0", CultureInfo.InvariantCulture);

    public static int FunctionIndexOf(MethodBase method) =>
        int.Parse(method.Name.AsSpan(1), CultureInfo.InvariantCulture);
}
