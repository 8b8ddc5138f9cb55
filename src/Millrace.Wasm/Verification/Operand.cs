namespace Millrace.Wasm.Verification;

/// <summary>
/// What the verifier knows of an operand: its type for the CLR, and what it stands for. Numbers come first, then what
/// no guest may get hold of: native addresses, references to places, and the engine's own objects.
/// </summary>
enum Kind : byte
{
    /// <summary>Nothing: never on the stack.</summary>
    None,

    // Of 32 bits.
    Int32,
    Int32Constant,
    /// <summary>The content of <see cref="Operand.Slot"/>.</summary>
    Int32Slot,
    /// <summary>Low bits of that slot plus a constant.</summary>
    Int32Low,
    /// <summary>Those bits and a mask, <see cref="Operand.Of"/>.</summary>
    AlignmentTest,
    /// <summary>The number of the type <see cref="Operand.Of"/>, which the engine gives it that loads the code.</summary>
    TypeNumber,
    /// <summary>The number of the signature of the function in that slot.</summary>
    SignatureNumber,
    /// <summary>Whether the reference in that slot is of the type <see cref="Operand.Of"/>; the other way round where
    /// <see cref="Operand.Number"/> is not 0.</summary>
    CastTest,
    /// <summary>Whether the exception in that slot has that tag.</summary>
    TagTest,
    /// <summary>Whether what was thrown is one of a set of exceptions.</summary>
    FilterAnswer,

    // Of 64 bits.
    Int64,
    Int64Constant,
    /// <summary>What casts to the type <see cref="Operand.Of"/> take.</summary>
    TypeKey,
    Int64Slot,
    /// <summary>That slot of 32 bits, zero-extended.</summary>
    Extended,
    /// <summary>The length of a memory, as it was not long ago.</summary>
    Length,
    /// <summary>A length less a constant.</summary>
    Room,
    /// <summary><see cref="Extended"/> plus a constant.</summary>
    End,
    FuelValue,
    FuelLeft,

    Single,
    Double,
    /// <summary>With lanes of the type <see cref="Operand.Of"/>.</summary>
    Vector,

    /// <summary>A number of native size that tells nothing of the host.</summary>
    NativeNumber,
    /// <summary>An index of native size that was 32 bits; of that slot, or of none.</summary>
    Index32,
    Index64,
    IndexConstant,

    // Native addresses.
    MemoryBase,
    /// <summary>Of a memory: base, <see cref="Index32"/>, and a constant.</summary>
    Address32,
    Address64,
    AddressConstant,
    /// <summary>Among the cells of globals.</summary>
    Cells,
    /// <summary>The cell of an imported global.</summary>
    Cell,
    FuelCell,
    StackAddress,
    StackLimit,

    // Managed references to places.
    ElementAddress,
    LocalAddress,
    ResultAddress,
    /// <summary>The first of several values: those of a tag, or one of <see cref="ValueRun"/>.</summary>
    ValueAddress,

    // Objects.
    /// <summary>A reference of the guest's, of the type <see cref="Operand.Of"/>.</summary>
    Object,
    Context,
    Memory,
    Memories,
    Table,
    Tables,
    /// <summary>The array of a table's elements.</summary>
    Elements,
    Imports,
    Globals,
    Global,
    /// <summary>The array in a guest's array of that type.</summary>
    Items,
    Values,
    FunctionContext,
    FunctionCode,
    /// <summary>An exception of .NET, in a filter or handler.</summary>
    Thrown,
}

/// <summary>Runs of values that are not those of a tag.</summary>
static class ValueRun
{
    public const int ParametersAndResults = -1;
    public const int Parameters = -2;
    public const int Results = -3;
}

/// <summary>An operand on the stack.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Of">Of which memory, table, type and so on.</param>
/// <param name="Slot">The argument or local whose content it is, as long as that is not assigned; else −1.</param>
/// <param name="Number">A constant.</param>
readonly record struct Operand(Kind Kind, int Of = 0, int Slot = -1, ulong Number = 0)
{
    public bool IsInt32 => Kind is >= Kind.Int32 and <= Kind.FilterAnswer;

    public bool IsInt64 => Kind is >= Kind.Int64 and <= Kind.FuelLeft;

    /// <summary>Whether a guest may know it.</summary>
    public bool IsNumber => Kind is >= Kind.Int32 and <= Kind.Vector;
}
