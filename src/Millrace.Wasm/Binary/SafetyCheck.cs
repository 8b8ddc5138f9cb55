namespace Millrace.Wasm.Binary;

/// <summary>
/// A check that keeps guests in their place, so that tests can switch it off and show that a hostile module then gets
/// through. Only they can: <see cref="EngineOptions.Without"/>. Nobody asks on the way of code that passes its checks.
/// </summary>
enum SafetyCheck
{
    /// <summary>None: as everywhere but in those tests.</summary>
    None,

    /// <summary>Typing rules: modules are compiled as they are.</summary>
    Validation,
    /// <summary>The budget of validation.</summary>
    ValidationWork,
    /// <summary>Most parameters of a function type.</summary>
    Parameters,
    /// <summary>Most fields of a struct type.</summary>
    Fields,
    /// <summary>Most locals of a function, in the format and in its frame.</summary>
    Locals,
    /// <summary>Most blocks inside blocks.</summary>
    Nesting,
    /// <summary>Most bytes of compiled code.</summary>
    CodeSize,
    /// <summary>Most protected blocks of a function.</summary>
    TryBlocks,
    /// <summary>Most protected blocks inside each other.</summary>
    TryDepth,
    /// <summary>Long expressions are computed in parts.</summary>
    ExpressionSize,

    /// <summary>Loads and stores stay within memory.</summary>
    MemoryBounds,
    /// <summary>Each memory has a length of its own.</summary>
    OwnMemoryLength,
    /// <summary>Address and offset are added without wrapping at the address's width.</summary>
    AddressSums,
    /// <summary>A check counts for as many bytes as it was made for.</summary>
    CheckedBytes,
    /// <summary>Copies, fills and initialisations stay within memory.</summary>
    MemoryRanges,
    /// <summary>What is read of a segment lies in it.</summary>
    SegmentBounds,
    /// <summary>Dropped segments are empty.</summary>
    DroppedSegments,
    /// <summary>Table instructions stay within the table.</summary>
    TableBounds,
    /// <summary>The index of an indirect call lies in the table.</summary>
    CallIndexes,
    /// <summary>What is called through a table is there.</summary>
    NullElements,
    /// <summary>What is called through a table has the type.</summary>
    CallTypes,

    /// <summary>Integer division is checked before the processor does it.</summary>
    Divisions,
    /// <summary>Conversion to an integer is checked before it is made.</summary>
    Truncations,
    /// <summary>Null is no object and no function.</summary>
    NullReferences,
    /// <summary>An index of an array lies in it.</summary>
    ArrayBounds,
    /// <summary>A range of an array lies in it.</summary>
    ArrayRanges,
    /// <summary>Casts look at the object.</summary>
    Casts,
    /// <summary>Exceptions of guests alone are caught.</summary>
    CaughtKinds,
    /// <summary>Branches out of a protected block leave it.</summary>
    LeavingTry,

    /// <summary>Functions that call look at how much stack is left.</summary>
    StackLimit,
    /// <summary>Loops look for an interrupt.</summary>
    LoopInterrupts,
    /// <summary>Interrupts reach the store's code at all.</summary>
    Interrupts,
    /// <summary>The store's limit of memory.</summary>
    MemoryLimit,
    /// <summary>The store's limit of table elements.</summary>
    TableLimit,
    /// <summary>The store's limit of objects.</summary>
    ObjectLimit,
    /// <summary>Objects that nobody keeps are not counted.</summary>
    Collections,
    /// <summary>Imports are there.</summary>
    Imports,
    /// <summary>Imports have the type that was asked for.</summary>
    ImportTypes,
}
