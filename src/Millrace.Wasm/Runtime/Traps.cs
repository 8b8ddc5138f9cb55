using System.Diagnostics.CodeAnalysis;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// What guest code calls to trap. Methods that do nothing but throw: RyuJIT then knows that they do not return, and
/// moves the call out of the hot path.
/// </summary>
static class Traps
{
    /// <summary>The site of a trap that tells none.</summary>
    public const int NoSite = -1;

    [DoesNotReturn]
    public static void Throw(int code) => throw new TrapException((TrapCode)code);

    /// <summary>Tells the instruction by its offset in the code section.</summary>
    // As an argument: of calls with equal arguments the JIT makes one, and then the place of the call tells nothing.
    [DoesNotReturn]
    public static void ThrowAt(int code, int site) => throw new TrapException((TrapCode)code) { Site = site };

    [DoesNotReturn]
    public static void OutOfBoundsMemoryAccess() => throw new TrapException(TrapCode.OutOfBoundsMemoryAccess);

    [DoesNotReturn]
    public static void OutOfBoundsTableAccess() => throw new TrapException(TrapCode.OutOfBoundsTableAccess);

    [DoesNotReturn]
    public static void OutOfBoundsArrayAccess() => throw new TrapException(TrapCode.OutOfBoundsArrayAccess);

    [DoesNotReturn]
    public static void NullReference() => throw new TrapException(TrapCode.NullReference);

    [DoesNotReturn]
    public static void OutOfMemory() => throw new TrapException(TrapCode.OutOfMemory);

    [DoesNotReturn]
    public static void IntegerDivideByZero() => throw new TrapException(TrapCode.IntegerDivideByZero);

    [DoesNotReturn]
    public static void IntegerOverflow() => throw new TrapException(TrapCode.IntegerOverflow);

    /// <summary>A float that fits no integer of the target type.</summary>
    [DoesNotReturn]
    public static void Truncation(double value) => throw new TrapException(
        double.IsNaN(value) ? TrapCode.InvalidConversionToInteger : TrapCode.IntegerOverflow);

    /// <summary>The stack check failed: no stack is left, or <see cref="Store.Interrupt"/> raised the limit.</summary>
    [DoesNotReturn]
    public static void StackLimit(Instance instance) => throw new TrapException(
        instance.InterruptRequest != 0 ? TrapCode.Interrupted : TrapCode.CallStackExhausted);

    /// <summary>A null found by call_indirect; slots behind a table's end are null too.</summary>
    [DoesNotReturn]
    public static void NullElement(Instance instance, int table, int index) => throw new TrapException(
        (uint)index < (uint)instance.Tables[table].Count
            ? TrapCode.UninitializedElement
            : TrapCode.UndefinedElement);
}
