using System.Collections.Immutable;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Verification;

/// <summary>Kinds of methods that an image may have.</summary>
enum MethodKind : byte
{
    /// <summary>A function of the guest's: parameters, context, places of the further results.</summary>
    Function,
    /// <summary>The same, but calls the host: the context is the function itself.</summary>
    HostEntry,
    /// <summary>Arguments and results as values in memory, and the function.</summary>
    GuestEntry,
}

/// <summary>What a method must look like.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Name">For messages.</param>
/// <param name="Type">The function's type.</param>
/// <param name="Locals">Its locals in wasm, which are the first in CIL.</param>
sealed record MethodShape(MethodKind Kind, string Name, FunctionType Type, ImmutableArray<LocalRun> Locals)
{
    /// <summary>The argument that is the context, or the function.</summary>
    public int ContextArgument => Kind == MethodKind.GuestEntry ? 2 : Type.Parameters.Length;

    /// <summary>What it returns in CIL.</summary>
    public SlotType Returned => Kind == MethodKind.GuestEntry ? default : ReturnedBy(Type);

    /// <summary>The arguments in CIL.</summary>
    public List<SlotType> Arguments()
    {
        var context = new SlotType(Kind == MethodKind.Function ? SlotKind.Context : SlotKind.Function);
        if (Kind != MethodKind.GuestEntry) return ArgumentsOf(Type, context);
        var values = new SlotType(SlotKind.ValueReference);
        return [values, values, context];
    }

    /// <summary>What a function returns in CIL: its first result.</summary>
    public static SlotType ReturnedBy(FunctionType type) => type.Results is [var first, ..] ? SlotType.From(first) : default;

    /// <summary>The arguments that a function of a type takes in CIL.</summary>
    public static List<SlotType> ArgumentsOf(FunctionType type, SlotType context)
    {
        var arguments = new List<SlotType>(type.Parameters.Length + 1);
        foreach (var parameter in type.Parameters) arguments.Add(SlotType.From(parameter));
        arguments.Add(context);
        foreach (var result in type.Results.Skip(1))
            arguments.Add(new SlotType(SlotKind.Reference, (int)SlotType.From(result).Kind));
        return arguments;
    }
}
