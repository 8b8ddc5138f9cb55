namespace Millrace.Wasm;

/// <summary>Why a guest trapped. Each code's text is the one the specification suite uses.</summary>
public enum TrapCode
{
    /// <summary>The <c>unreachable</c> instruction.</summary>
    Unreachable,
    /// <summary>A load or store outside memory.</summary>
    OutOfBoundsMemoryAccess,
    /// <summary>A table access outside the table.</summary>
    OutOfBoundsTableAccess,
    /// <summary>An array access outside the array.</summary>
    OutOfBoundsArrayAccess,
    /// <summary>call_indirect beyond the table's end.</summary>
    UndefinedElement,
    /// <summary>call_indirect to a null entry.</summary>
    UninitializedElement,
    /// <summary>call_indirect to a function of another type.</summary>
    IndirectCallTypeMismatch,
    /// <summary>Integer division by zero.</summary>
    IntegerDivideByZero,
    /// <summary>Result not representable (min / -1, or float out of range).</summary>
    IntegerOverflow,
    /// <summary>NaN to an integer.</summary>
    InvalidConversionToInteger,
    /// <summary>A null reference where a value is needed.</summary>
    NullReference,
    /// <summary>A failed <c>ref.cast</c>.</summary>
    CastFailure,
    /// <summary>The guest's call stack is used up.</summary>
    CallStackExhausted,
    /// <summary>The instruction budget is used up.</summary>
    OutOfFuel,
    /// <summary>The deadline passed, or the host stopped the store.</summary>
    Interrupted,
    /// <summary>An unresolved import was called.</summary>
    UnknownImport,
    /// <summary>Guest objects take more than <see cref="StoreLimits.ObjectBytesMax"/>, or than there is.</summary>
    OutOfMemory,
    /// <summary>A host function refused its arguments (a bad pointer, an unknown handle).</summary>
    HostFault,
    /// <summary>An atomic access at an address that is no multiple of its size.</summary>
    UnalignedAtomic,
    /// <summary><c>memory.atomic.wait</c> on a memory that no other thread can have.</summary>
    ExpectedSharedMemory,
}

/// <summary>Texts of <see cref="TrapCode"/>.</summary>
public static class TrapCodes
{
    /// <summary>The code in the specification suite's words.</summary>
    public static string Text(this TrapCode code) => code switch
    {
        TrapCode.Unreachable => "unreachable",
        TrapCode.OutOfBoundsMemoryAccess => "out of bounds memory access",
        TrapCode.OutOfBoundsTableAccess => "out of bounds table access",
        TrapCode.OutOfBoundsArrayAccess => "out of bounds array access",
        TrapCode.UndefinedElement => "undefined element",
        TrapCode.UninitializedElement => "uninitialized element",
        TrapCode.IndirectCallTypeMismatch => "indirect call type mismatch",
        TrapCode.IntegerDivideByZero => "integer divide by zero",
        TrapCode.IntegerOverflow => "integer overflow",
        TrapCode.InvalidConversionToInteger => "invalid conversion to integer",
        TrapCode.NullReference => "null reference",
        TrapCode.CastFailure => "cast failure",
        TrapCode.CallStackExhausted => "call stack exhausted",
        TrapCode.OutOfFuel => "all fuel consumed",
        TrapCode.Interrupted => "interrupted",
        TrapCode.UnknownImport => "unknown import",
        TrapCode.OutOfMemory => "out of memory",
        TrapCode.UnalignedAtomic => "unaligned atomic",
        TrapCode.ExpectedSharedMemory => "expected shared memory",
        TrapCode.HostFault => "host function refused its arguments",
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, null),
    };
}
