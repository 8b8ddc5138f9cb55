using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Wasm.Ahead;

/// <summary>
/// The name of an image: a hash of the module and of all that made machine code of it. Builds of the engine and of the
/// runtime are told apart by the identity of their assemblies, which is another for every other content.
/// </summary>
static class CacheKey
{
    /// <summary>Raised when the meaning of a cache file changes.</summary>
    const int Format = 1;

    /// <summary>Bytes of a key.</summary>
    public const int Bytes = 32;

    /// <summary>The engine as it runs: images hold its helpers and the layout of its classes.</summary>
    public static Guid Engine { get; } = typeof(CacheKey).Module.ModuleVersionId;

    /// <summary>What crossgen2 is told of this CPU; null: what every CPU of its kind has.</summary>
    // The image is right on every CPU all the same: the runtime checks what each method assumes, and refuses it.
    public static string? InstructionSet { get; } = Find();

    // Strings put together by hand: in a fresh process the JIT would compile an interpolation first.
    static readonly string Surroundings = string.Join(' ',
        Text(Format), Engine.ToString(), typeof(object).Module.ModuleVersionId.ToString(),
        RuntimeInformation.FrameworkDescription, RuntimeInformation.RuntimeIdentifier, InstructionSet,
        Text((int)Vectors()));

    public static byte[] Of(EngineOptions options, ReadOnlySpan<byte> module)
    {
        var text = string.Join(' ',
            Surroundings, options.IsMetered ? "metered" : "", options.IsPortable ? "portable" : "",
            options.IsVerified ? "" : "unverified",
            Text((int)options.MemoryChecks), Text((int)options.Fault), Text((int)options.Without),
            Convert.ToHexStringLower(SHA256.HashData(module)));
        return SHA256.HashData(Encoding.UTF8.GetBytes(text));
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    static string? Find()
    {
        if (Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && Avx512CD.VL.IsSupported && Avx512DQ.VL.IsSupported)
            return "x86-64-v4";
        if (Avx2.IsSupported && Bmi1.IsSupported && Bmi2.IsSupported && Fma.IsSupported && Lzcnt.IsSupported)
            return "x86-64-v3";
        return Sse42.IsSupported && Popcnt.IsSupported ? "x86-64-v2" : null;
    }

    // What the compiler itself asks of the CPU: see Compilation/X86Vectors.
    static VectorSets Vectors() =>
        (Sse2.IsSupported ? VectorSets.Sse2 : 0) | (Sse41.IsSupported ? VectorSets.Sse41 : 0)
        | (AdvSimd.IsSupported ? VectorSets.AdvSimd : 0);

    [Flags]
    enum VectorSets
    {
        Sse2 = 1,
        Sse41 = 2,
        AdvSimd = 4,
    }
}
