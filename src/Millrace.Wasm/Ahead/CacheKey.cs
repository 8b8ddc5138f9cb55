using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Millrace.Wasm.Ahead;

/// <summary>
/// What an image is made of: a module, and all that makes machine code of it. Both stand in the image's file and are
/// compared byte for byte; the name is there to find it. Builds of the engine and of the runtime are told apart by the
/// identity of their assemblies, which is another for every other content.
/// </summary>
sealed class CacheKey
{
    /// <summary>Raised when the meaning of a cache file changes.</summary>
    const int Format = 2;

    CacheKey(ReadOnlyMemory<byte> module, byte[] settings)
    {
        (Module, Settings) = (module, settings);
        var print = new Fingerprint();
        print.Add(settings);
        print.Add(module.Span);
        Name = print.ToString();
    }

    /// <summary>The engine as it runs: images hold its helpers and the layout of its classes.</summary>
    public static Guid Engine { get; } = typeof(CacheKey).Module.ModuleVersionId;

    /// <summary>What crossgen2 is told of this CPU; null: what every CPU of its kind has.</summary>
    // The image is right on every CPU all the same: the runtime checks what each method assumes, and refuses it.
    public static string? InstructionSet { get; } = Find();

    /// <summary>The module.</summary>
    public ReadOnlyMemory<byte> Module { get; }

    /// <summary>Engine, runtime, CPU and options.</summary>
    public byte[] Settings { get; }

    /// <summary>Name of the file.</summary>
    public string Name { get; }

    /// <summary>Whether it is the key of the same code.</summary>
    public bool IsSame(CacheKey other) =>
        Settings.AsSpan().SequenceEqual(other.Settings) && Module.Span.SequenceEqual(other.Module.Span);

    public static CacheKey Of(EngineOptions options, ReadOnlyMemory<byte> module)
    {
        var settings = new MemoryStream();
        using var writer = new BinaryWriter(settings);
        writer.Write(Format);
        writer.Write(Engine.ToByteArray());
        writer.Write(typeof(object).Module.ModuleVersionId.ToByteArray());
        writer.Write(RuntimeInformation.RuntimeIdentifier);
        writer.Write(InstructionSet ?? "");
        writer.Write(Sse41.IsSupported || AdvSimd.IsSupported); // Compilation/X86Vectors
        writer.Write(options.IsMetered);
        writer.Write(options.IsPortable);
        writer.Write(options.IsVerified);
        writer.Write((int)options.MemoryChecks);
        writer.Write((int)options.Fault);
        writer.Write((int)options.Without);
        writer.Flush();
        return new(module, settings.ToArray());
    }

    static string? Find()
    {
        if (Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && Avx512CD.VL.IsSupported && Avx512DQ.VL.IsSupported)
            return "x86-64-v4";
        if (Avx2.IsSupported && Bmi1.IsSupported && Bmi2.IsSupported && Fma.IsSupported && Lzcnt.IsSupported)
            return "x86-64-v3";
        return Sse42.IsSupported && Popcnt.IsSupported ? "x86-64-v2" : null;
    }
}
