using System.Runtime.InteropServices;
using Millrace.Fuzz;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Tests.Compilation;

namespace Millrace.Wasm.Tests.Verification;

/// <summary>
/// What the verifier lets pass and what it refuses. That it lets the compiler's code pass is seen wherever a module is
/// compiled: by the official suite, the hostile modules, the guests.
/// </summary>
public sealed class ImageVerifierTests
{
    const string Loops = """
        (module
          (memory 1)
          (func $f (export "f") (param i32) (result i32)
            (loop $next (br_if $next (local.tee 0 (i32.load (local.get 0)))))
            (call $g (local.get 0)))
          (func $g (param i32) (result i32) (i32.load offset=8 (local.get 0))))
        """;

    public static TheoryData<string> Mistakes => [.. RefusalSearch.Unsafe.Select(fault => fault.ToString())];

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_that_opens_the_sandbox_is_refused(string mistake) =>
        Assert.NotNull(RefusalSearch.Search(Enum.Parse<CompilerFault>(mistake), modules: 0));

    [Theory]
    // volatile. ldfld, brtrue: pops the context, and goes on
    [InlineData("FE 13 7B ?? ?? ?? ?? 3A ?? ?? ?? ??", "26 00 00 00 00 00 00 00 00 00 00 00", "a loop that no interrupt stops")]
    // the same without volatile.
    [InlineData("FE 13 7B ?? ?? ?? ?? 3A ?? ?? ?? ??", "00 00 7B ?? ?? ?? ?? 3A ?? ?? ?? ??", "a loop that no interrupt stops")]
    // ldloca, conv.u, ldarg, ldfld, blt.un
    [InlineData(
        "12 ?? E0 03 7B ?? ?? ?? ?? 44 ?? ?? ?? ??", "00 00 00 00 00 00 00 00 00 00 00 00 00 00",
        "a function that calls and does not look at the stack")]
    // sub, bgt.un
    [InlineData("59 42 ?? ?? ?? ??", "59 26 26 00 00 00", "without check")]
    // bgt.un as bgt
    [InlineData("59 42 ?? ?? ?? ??", "59 3D ?? ?? ?? ??", "without check")]
    // ldind.i4 as ldind.i8
    [InlineData("58 4A", "58 4C", "without check")]
    // add of the base left out
    [InlineData("E0 07 58", "E0 00 00", "an access through Index32")]
    public void Code_without_one_of_its_checks_is_refused(string code, string instead, string reason)
    {
        using var engine = new Engine(new() { IsPortable = false, Rewrite = image => Replaced(image, code, instead) });

        var refused = Assert.Throws<RefusedCodeException>(() => Module.Compile(engine, WatText.ToBinary(Loops)));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Code_of_generated_modules_passes(bool isMetered, bool isPortable)
    {
        var modules = Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1" ? 4000 : 60;
        var options = new EngineOptions { IsMetered = isMetered, IsPortable = isPortable };

        Assert.Null(RefusalSearch.Search(CompilerFault.None, modules, from: 2_100_000, options));
    }

    [SkippableFact]
    public void Code_of_generated_modules_passes_where_pages_guard_memories()
    {
        Skip.IfNot(
            OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64,
            "pages guard memories on Linux and x64 only");
        var modules = Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1" ? 4000 : 60;

        Assert.Null(RefusalSearch.Search(
            CompilerFault.None, modules, from: 2_100_000, new() { MemoryChecks = MemoryChecks.Guarded }));
    }

    [Fact]
    public void A_refusal_names_function_and_place()
    {
        using var engine = new Engine(new() { Fault = CompilerFault.ChecksWithoutOffset, IsPortable = false });

        var refused = Assert.Throws<RefusedCodeException>(() => Module.Compile(engine, WatText.ToBinary(Loops)));

        Assert.Equal("function 1", refused.Function);
        Assert.True(refused.Offset > 0);
        Assert.StartsWith("internal fault: the compiled code of function 1 was refused at ", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Bytes of code changed at random: refused, or safe to run.</summary>
    [Fact]
    public void Broken_code_is_refused_or_harmless()
    {
        var (modules, mutants) = Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1" ? (400, 400) : (20, 60);
        var (refused, ran) = (0, 0);

        for (var seed = 0; seed < modules; seed++)
        {
            var module = ModuleGenerator.Make(seed, isProfiled: false);
            var bytes = WatText.ToBinary(module.Wat);
            for (var mutant = 0; mutant < mutants; mutant++)
            {
                if (BrokenModule.Run(bytes, module, (seed * 1000) + mutant)) ran++;
                else refused++;
            }
        }

        Assert.True(refused > modules * mutants / 3, $"only {refused} refused");
        Assert.True(ran > modules * mutants / 20, $"only {ran} ran");
    }

    /// <summary>The image with other bytes in place of the first that look so.</summary>
    internal static byte[] Replaced(byte[] image, string code, string instead)
    {
        var (from, to) = (code.Split(' '), instead.Split(' '));
        for (var at = 0; at + from.Length <= image.Length; at++)
        {
            var start = at;
            if (!from.Select((text, i) => text == "??" || Convert.ToByte(text, 16) == image[start + i]).All(fits => fits))
                continue;
            for (var i = 0; i < to.Length; i++)
                if (to[i] != "??") image[at + i] = Convert.ToByte(to[i], 16);
            return image;
        }
        throw new InvalidOperationException($"there is no such code in {string.Join('\n', IlText.Of(image))}");
    }
}
