using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Millrace.Fuzz;

namespace Millrace.Wasm.Tests.Verification;

/// <summary>A generated module whose compiled code is broken before it is verified.</summary>
static class BrokenModule
{
    static readonly TimeSpan RunMax = TimeSpan.FromMilliseconds(200);

    /// <summary>Breaks, and runs where the verifier lets it; whether that was so.</summary>
    public static bool Run(byte[] wasm, GeneratedModule module, int seed)
    {
        using var engine = new Engine(new()
        {
            Features = WasmFeatures.All,
            Rewrite = image => Broken(image, new Random(seed)),
        });
        using var store = new Store(engine, new StoreLimits { MemoryBytesMax = 16 << 20, ObjectBytesMax = 16 << 20 });
        Module compiled;
        try
        {
            compiled = Module.Compile(engine, wasm);
        }
        catch (RefusedCodeException)
        {
            return false;
        }
        using var timer = new Timer(_ => store.Interrupt(), null, RunMax, RunMax);
        try
        {
            var instance = new Linker(engine).Instantiate(store, compiled);
            foreach (var function in module.Calls.Select(call => instance.FindFunction(call.Name)).OfType<Function>().Distinct())
            {
                if (function.Type.Parameters.All(type => type.Kind != ValueKind.Ref || type.IsNullable)) Call(function);
            }
        }
        catch (Exception)
        {
            // Start functions too may end as they like; what counts is that the process lives.
        }
        return true;
    }

    static void Call(Function function)
    {
        try
        {
            function.Call([.. function.Type.Parameters.Select(_ => Value.From(-1))]);
        }
        catch (Exception)
        {
            // A trap, or an exception of .NET's: broken code may miss a check of null, which the runtime makes itself.
        }
    }

    // One byte of a method's code, or one bit of it.
    static byte[] Broken(byte[] image, Random random)
    {
        using var reader = new PEReader(new MemoryStream(image));
        var metadata = reader.GetMetadataReader();
        var methods = metadata.MethodDefinitions.ToArray();
        var method = metadata.GetMethodDefinition(methods[random.Next(methods.Length)]);
        var body = reader.GetMethodBody(method.RelativeVirtualAddress);
        var content = body.GetILContent();
        var section = reader.PEHeaders.SectionHeaders[reader.PEHeaders.GetContainingSectionIndex(method.RelativeVirtualAddress)];
        var offset = method.RelativeVirtualAddress - section.VirtualAddress + section.PointerToRawData;
        var start = image.AsSpan(offset).IndexOf(content.AsSpan()) + offset;
        var at = start + random.Next(content.Length);
        image[at] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)(image[at] ^ (1 << random.Next(8)));
        return image;
    }
}
