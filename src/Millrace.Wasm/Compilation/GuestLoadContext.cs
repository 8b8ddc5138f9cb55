using System.Reflection;
using System.Runtime.Loader;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Where one image is loaded. Collectible: its code goes straight to the optimising JIT, and is unloaded when nothing
/// refers to the <see cref="GuestImage"/> any more. It has no fields: the runtime holds a context until its assembly
/// is gone, so a context that leads to its own assembly would never go. Machine code of a file is used only where a
/// context is not collectible.
/// </summary>
sealed class GuestLoadContext(bool isCollectible) : AssemblyLoadContext("guest", isCollectible)
{
    // This assembly itself, wherever it was loaded; everything else from the default context.
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var own = typeof(GuestLoadContext).Assembly;
        return assemblyName.Name == own.GetName().Name ? own : null;
    }
}
