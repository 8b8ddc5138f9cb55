using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Throwing and catching, as guest code calls it. Filters decide: what they refuse passes through as if there were no
/// <c>try_table</c>. So no guest sees a trap, an exception of the host's, or one of another store.
/// </summary>
static class GuestExceptions
{
    // Of the instance, its array and a part of the exception that carries it.
    const int Bytes = 128;

    /// <summary>An exception whose values are still to be written.</summary>
    public static object Make(Instance instance, int tag)
    {
        var content = new ExceptionInstance(instance.Tags[tag]);
        instance.Heap.Charge(content, Bytes + (long)content.Values.Length * Unsafe.SizeOf<Value>());
        return content;
    }

    public static ref Value First(object content) => ref ((ExceptionInstance)content).Values[0];

    [DoesNotReturn]
    public static void Throw(object? content) => throw (content is null
        ? new TrapException(TrapCode.NullReference)
        : new GuestException((ExceptionInstance)content));

    /// <summary>Filter of <c>catch_all</c>: whether what was thrown is an exception of this store's guests.</summary>
    public static int IsAny(object thrown, Instance instance) =>
        ContentFor(thrown, instance) is not null || instance.Store.Lacks(SafetyCheck.CaughtKinds) ? 1 : 0;

    /// <summary>Filter of <c>catch</c>: whether what was thrown is an exception with that tag of the instance.</summary>
    public static int IsThrown(object thrown, Instance instance, int tag) =>
        ContentFor(thrown, instance)?.Tag == instance.Tags[tag] ? 1 : 0;

    /// <summary>What a filter let through, as an <c>exnref</c>.</summary>
    public static object? Content(object thrown) => (thrown as GuestException)?.Content;

    public static int HasTag(object content, Instance instance, int tag) =>
        ((ExceptionInstance)content).Tag == instance.Tags[tag] ? 1 : 0;

    static ExceptionInstance? ContentFor(object thrown, Instance instance) =>
        thrown is GuestException { Content: var content } && content.Tag.Store == instance.Store ? content : null;
}
