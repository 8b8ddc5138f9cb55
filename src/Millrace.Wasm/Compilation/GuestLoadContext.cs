using System.Reflection;
using System.Runtime.Loader;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Holds one image. Collectible: its code goes straight to the optimising JIT, and is unloaded when nothing refers
/// to it any more.
/// </summary>
sealed class GuestLoadContext : AssemblyLoadContext
{
    readonly Assembly _guest;

    public GuestLoadContext(byte[] image, CompiledModule? module = null) : base("guest", isCollectible: true)
    {
        Module = module;
        using var stream = new MemoryStream(image);
        _guest = LoadFromStream(stream);
    }

    /// <summary>The module whose functions the image holds; null for crossings.</summary>
    public CompiledModule? Module { get; }

    /// <summary>Code of the image's method with that index, compiled when it is first called.</summary>
    public nint PointerTo(int methodIndex) =>
        _guest.ManifestModule.ResolveMethod(ImageBuilder.MethodToken(methodIndex))!.MethodHandle.GetFunctionPointer();

    // This assembly itself, wherever it was loaded; everything else from the default context.
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var own = typeof(GuestLoadContext).Assembly;
        return assemblyName.Name == own.GetName().Name ? own : null;
    }
}
