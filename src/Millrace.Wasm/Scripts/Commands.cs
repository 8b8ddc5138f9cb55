using System.Collections.Immutable;
using Millrace.Wasm.Text;
using Millrace.Wasm.Text.Modules;

namespace Millrace.Wasm.Scripts;

/// <summary>A command of a script.</summary>
/// <param name="Offset">Where it stands.</param>
abstract record Command(int Offset);

/// <summary>A module: defined, or defined and instantiated.</summary>
sealed record ModuleCommand(int Offset, string? Id, ModuleText Module, bool IsDefinition) : Command(Offset);

/// <summary>Instantiates a module that a definition gave.</summary>
sealed record InstanceCommand(int Offset, string? Id, string? Definition) : Command(Offset);

/// <summary>Makes an instance importable.</summary>
sealed record RegisterCommand(int Offset, string Name, string? Id) : Command(Offset);

/// <summary>Something done for its effect.</summary>
sealed record ActionCommand(int Offset, ScriptAction Action) : Command(Offset);

/// <summary>An assertion about an action.</summary>
/// <param name="Offset">Where it stands.</param>
/// <param name="Kind">What is asserted.</param>
/// <param name="Action">What is done.</param>
/// <param name="Expected">The results, for <see cref="AssertionKind.Return"/>.</param>
/// <param name="Message">The words expected, where there are any.</param>
sealed record ActionAssertion(
    int Offset, AssertionKind Kind, ScriptAction Action, ImmutableArray<ResultPattern> Expected, string Message)
    : Command(Offset);

/// <summary>An assertion that a module is refused, or traps when instantiated.</summary>
sealed record ModuleAssertion(int Offset, AssertionKind Kind, ModuleText Module, string Message) : Command(Offset);

/// <summary>The assertions of the script language.</summary>
enum AssertionKind
{
    Return,
    Trap,
    Exhaustion,
    Exception,
    Malformed,
    Invalid,
    Unlinkable,
    /// <summary>The annotations proposal: an annotation of the text is malformed.</summary>
    MalformedCustom,
    /// <summary>The annotations proposal: an annotation contradicts the module.</summary>
    InvalidCustom,
}

/// <summary>A call or a look at a global.</summary>
/// <param name="Instance">The instance's identifier; null: the latest.</param>
/// <param name="Name">The export.</param>
/// <param name="Arguments">Arguments of a call; null: a global is read.</param>
sealed record ScriptAction(string? Instance, string Name, ImmutableArray<ScriptValue>? Arguments);

/// <summary>A module as a script writes it.</summary>
/// <param name="Id">Its identifier.</param>
abstract record ModuleText(string? Id)
{
    /// <summary>The binary module.</summary>
    /// <exception cref="MalformedException">It is text, and not a module.</exception>
    public abstract byte[] ToBinary();
}

/// <summary>A module in the text format, read when it is wanted.</summary>
sealed record PlainModule(string? Id, TokenList Tokens, int Fields) : ModuleText(Id)
{
    public override byte[] ToBinary() => ModuleReader.ReadFields(new Cursor(Tokens, Fields), Id);
}

/// <summary>A module as bytes.</summary>
sealed record BinaryModule(string? Id, byte[] Bytes) : ModuleText(Id)
{
    public override byte[] ToBinary() => Bytes;
}

/// <summary>A module as a text in strings, which may be malformed in every way.</summary>
sealed record QuotedModule(string? Id, byte[] Utf8) : ModuleText(Id)
{
    public override byte[] ToBinary() => WatText.ToBinary(Utf8);
}
