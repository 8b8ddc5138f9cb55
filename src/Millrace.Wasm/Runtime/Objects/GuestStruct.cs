using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>
/// A struct. Each module's image has a class below this one for every struct type that its code touches, with the
/// fields that the type adds to its supertype's (see <see cref="Compilation.StructClasses"/>).
/// </summary>
abstract class GuestStruct : GuestObject
{
    /// <summary>Made by guest code.</summary>
    /// <param name="context">The instance whose code it is.</param>
    /// <param name="slot">The type's place among those that the module makes objects of.</param>
    /// <param name="bytes">Size of the object.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal GuestStruct(Instance context, int slot, int bytes)
        : base(context.ObjectTypes[slot]) => context.Heap.Charge(this, bytes);
}
