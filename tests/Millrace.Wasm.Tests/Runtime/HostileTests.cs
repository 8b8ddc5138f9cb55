using Millrace.Fuzz.Hostile;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Modules that attack, and what becomes of them; all else is well afterwards.</summary>
public sealed class HostileTests
{
    const int SliceOneIn = 12;

    public static TheoryData<string> Names => [.. HostileCase.Names];

    // bench/Millrace.Fuzz --bites runs all of them; so does MILLRACE_LONG=1 here.
    public static TheoryData<string> Slice => [.. HostileCase.Names.Where((_, i) =>
        i % SliceOneIn == 0 || Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1")];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_hostile_module_gets_what_it_must_and_nobody_else_notices(string name)
    {
        var attack = HostileCase.Read(name);

        Assert.Equal(attack.Expected, HostileRun.Of(attack, new EngineOptions()));
    }

    [Fact]
    public void Each_hostile_module_names_the_check_that_stops_it() =>
        Assert.All(HostileCase.Names, name => HostileCase.Without(HostileCase.Read(name).Check));

    [Theory]
    [MemberData(nameof(Slice))]
    public async Task A_hostile_module_gets_through_without_the_check_that_stops_it(string name) =>
        Assert.NotNull(await HostileBites.FindAsync(name, HostileCase.Read(name).Check, default));
}
