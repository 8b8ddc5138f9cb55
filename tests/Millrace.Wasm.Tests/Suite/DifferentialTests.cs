using Millrace.Fuzz;
using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Tests.Suite;

/// <summary>A slice of the comparison with V8, whose long run is bench/Millrace.Fuzz.</summary>
public sealed class DifferentialTests
{
    const long Modules = 150;
    const long OtherModules = 25;

    [SkippableFact]
    public async Task Generated_modules_do_here_what_they_do_in_V8()
    {
        var (other, reason) = await OtherEngine.StartAsync();
        Skip.If(other is null, reason);
        using var theirs = other;
        using var ours = new OwnEngine();
        var comparison = new Comparison([new(ours, OneIn: 1)], theirs!, new OwnSource());
        var divergences = new List<string>();

        for (var seed = 0L; seed < Modules; seed++)
        {
            if (await comparison.CompareAsync(seed) is { } found)
                divergences.Add($"seed {seed}: here '{found.Ours}', there '{found.Theirs}'");
        }

        Assert.Empty(divergences);
        Assert.True(comparison.ModulesThatTrapped > Modules / 5, "too few modules trapped to say much");
        Assert.True(comparison.Ends["value"] > Modules, "too few calls came to their end to say much");
    }

    [SkippableFact]
    public async Task Modules_of_another_generator_do_here_what_they_do_in_V8()
    {
        Skip.If(WasmOptSource.Version() is null, "wasm-opt is not installed (Debian's package binaryen)");
        var (other, reason) = await OtherEngine.StartAsync();
        Skip.If(other is null, reason);
        using var theirs = other;
        using var ours = new OwnEngine();
        var comparison = new Comparison([new(ours, OneIn: 1)], theirs!, new WasmOptSource());

        for (var seed = 0L; seed < OtherModules; seed++)
        {
            var found = await comparison.CompareAsync(seed);
            Assert.True(found is null, $"seed {seed}: here '{found?.Ours}', there '{found?.Theirs}'");
        }
    }

    // bench/Millrace.Fuzz searches all of them; so does MILLRACE_LONG=1 here.
    public static TheoryData<string> Mistakes => [.. (Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1"
        ? FaultSearch.All
        : [CompilerFault.ExtendsWithZeros, CompilerFault.MasksShiftsTooFar, CompilerFault.SwapsSelect,
            CompilerFault.ChecksOneByteLess, CompilerFault.ReadsLocalsTooLate]).Select(fault => fault.ToString())];

    [SkippableTheory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_of_the_compiler_is_found(string mistake)
    {
        var (other, reason) = await OtherEngine.StartAsync();
        Skip.If(other is null, reason);
        other!.Dispose();

        var found = await FaultSearch.SearchAsync(Enum.Parse<CompilerFault>(mistake), TimeSpan.FromMinutes(10), default);

        Assert.NotNull(found);
    }

    [Fact]
    public void A_seed_makes_the_same_module_again()
    {
        for (var seed = 0L; seed < 20; seed++)
        {
            var module = ModuleGenerator.Make(seed, isProfiled: false);

            Assert.Equal(module.Wat, ModuleGenerator.Make(seed, isProfiled: false).Wat);
            Assert.NotEmpty(WatText.ToBinary(module.Wat));
        }
    }
}
