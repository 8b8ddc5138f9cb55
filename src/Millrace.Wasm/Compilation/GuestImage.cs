using System.Reflection;

namespace Millrace.Wasm.Compilation;

/// <summary>A loaded image. Whoever holds code pointers of it must hold it too.</summary>
sealed class GuestImage
{
    public GuestImage(byte[] image)
    {
        using var stream = new MemoryStream(image);
        Assembly = new GuestLoadContext(isCollectible: true).LoadFromStream(stream);
    }

    /// <summary>A file with machine code, which stays until the process ends.</summary>
    public GuestImage(string path) => Assembly = new GuestLoadContext(isCollectible: false).LoadFromAssemblyPath(path);

    public Assembly Assembly { get; }

    /// <summary>Code of the method with that index; machine code is made when it is first called.</summary>
    public nint PointerTo(int methodIndex) =>
        Assembly.ManifestModule.ModuleHandle.ResolveMethodHandle(ImageBuilder.MethodToken(methodIndex))
            .GetFunctionPointer();
}
