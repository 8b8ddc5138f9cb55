namespace Millrace.Wasm.Verification;

/// <summary>What a member that code refers to is to the verifier.</summary>
enum MemberRole : byte
{
    // Fields.
    StackLimit,
    InterruptRequest,
    FuelCell,
    MemoryBase,
    UnknownZero,
    Memory0,
    Table0,
    Cells,
    Imports,
    Tables,
    Memories,
    Globals,
    BaseOfMemory,
    LengthOfMemory,
    Elements,
    LengthOfTable,
    ReferenceOfGlobal,
    SignatureNumber,
    Code,
    ContextOfFunction,
    LengthOfArray,
    Items,
    NumberOfI31,
    SlotValue,
    FieldOfStruct,
    /// <summary>A static field that holds a number and is only read.</summary>
    HiddenNumber,

    // Methods.
    /// <summary>Numbers in, a number out.</summary>
    Pure,
    /// <summary>The context and numbers in, a number or nothing out; checks all by itself.</summary>
    Checked,
    GrowMemory,
    Atomic,
    TableGet,
    TableSet,
    TableGrow,
    TableFill,
    TableCopy,
    TableInit,
    FunctionReference,
    ArrayNew,
    ArrayNewOfReferences,
    ArrayNewDefault,
    ArrayNewFromData,
    ArrayNewFromElements,
    ArrayFill,
    ArrayFillWithReference,
    ArrayCopy,
    ArrayInitData,
    ArrayInitElements,
    NewStruct,
    NewI31,
    Cast,
    IsSame,
    FunctionHasType,
    Trap,
    TrapAtSite,
    TrapAtStackLimit,
    MakeException,
    FirstOfException,
    ThrowException,
    IsAny,
    IsThrown,
    Content,
    HasTag,
    BeginHostCall,
    FirstOfValues,
    InvokeHost,
    EndHostCall,
    ReadValue,
    WriteValue,
}

/// <summary>A member that code refers to.</summary>
/// <param name="Role">What it is.</param>
/// <param name="Name">For messages.</param>
/// <param name="Result">What it gives: a field's type, a method's result.</param>
/// <param name="Parameters">A method's parameters.</param>
/// <param name="Of">The type of struct; the number of the field is <paramref name="Detail"/>. Methods on arrays: how
/// elements are stored.</param>
/// <param name="Detail">Atomic operations: bytes. Casts: the kind.</param>
sealed record Member(
    MemberRole Role, string Name, SlotType Result, SlotType[] Parameters, int Of = 0, int Detail = 0);

/// <summary>Kinds of casts, by what they take and tell.</summary>
enum CastKind
{
    /// <summary>Any reference; the key names a defined type.</summary>
    ToType,
    /// <summary>A reference of the type <c>eq</c>; the key names a defined type.</summary>
    KnownToType,
    /// <summary>A function; the key names a defined type.</summary>
    FunctionToType,
    /// <summary>Any reference; the key is an abstract type.</summary>
    ToKind,
    KnownToKind,
    /// <summary>Any reference, to <c>eq</c>.</summary>
    ToObject,
}
