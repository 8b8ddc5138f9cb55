namespace Millrace.Wasm.Binary;

/// <summary>
/// What a module may ask of the host at most. The specification leaves these to implementations (core appendix A.2);
/// most values are those that browsers agreed on, so that real modules pass.
/// </summary>
static class Limits
{
    public const int ModuleBytes = 1 << 30;
    public const int Types = 1_000_000;
    public const int Parameters = 1_000;
    public const int Results = 1_000;
    public const int Fields = 10_000;
    public const int Supertypes = 16; // the format has a list of them, a valid module at most one
    public const int SubtypeDepth = 63;
    public const int Imports = 1_000_000;
    public const int Functions = 1_000_000;
    public const int Tables = 100_000;
    public const int Memories = 1_000;
    public const int Globals = 1_000_000;
    public const int Tags = 1_000_000;
    public const int Exports = 1_000_000;
    public const int ElementSegments = 100_000;
    public const int Elements = 10_000_000;
    public const int DataSegments = 100_000;
    public const int FunctionBytes = 7_654_321;
    public const int Locals = 50_000;
    public const int BranchTable = 65_520;
    public const int CatchClauses = 10_000;
    public const int ArrayNewFixed = 10_000;

    /// <summary>Blocks inside blocks.</summary>
    public const int Nesting = 10_000;

    /// <summary>Operands on the stack of one function.</summary>
    public const int OperandStack = 100_000;

    /// <summary>
    /// Steps of validation that a module may cost: a call or branch of two bytes can move a thousand operands, so
    /// that time is held to the module's size by this budget. Real modules use less than one step per byte.
    /// </summary>
    public const int WorkPerByte = 32;
    public const int WorkFree = 4_000_000;

    /// <summary>Names read from the name section.</summary>
    public const int Names = 1_000_000;
}
