using Millrace.Fuzz.Mutation;

namespace Millrace.Wasm.Tests.Binary;

/// <summary>A slice of the mutations, whose long run is bench/Millrace.Fuzz <c>--mutate</c>.</summary>
public sealed class MutationTests
{
    const long Inputs = 3000;

    [Fact]
    public void Mutated_modules_texts_and_scripts_end_with_the_exception_of_their_phase_or_run()
    {
        using var work = new MutationCase(MutationCorpus.Of(folder: null));
        var failures = new List<string>();

        for (var seed = 0L; seed < Inputs; seed++)
        {
            if (work.Run(seed) is { } failure) failures.Add($"seed {seed}: {failure.What}");
        }

        Assert.Empty(failures);
        Assert.All(
            ["binary: malformed", "binary: invalid", "binary: valid, ran", "text: malformed text", "text: valid, ran", "script: read in part"],
            end => Assert.True(work.Ends.GetValueOrDefault(end) > 0, $"nothing ended as {end}"));
    }

    [Fact]
    public void A_seed_makes_the_same_input_again()
    {
        var corpus = MutationCorpus.Of(folder: null);

        for (var seed = 0L; seed < 50; seed++)
            Assert.Equal(new BinaryMutator(new(seed), corpus).Next(), new BinaryMutator(new(seed), corpus).Next());
    }
}
