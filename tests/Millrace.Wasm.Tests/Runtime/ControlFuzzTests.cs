namespace Millrace.Wasm.Tests.Runtime;

public sealed class ControlFuzzTests
{
    const int Seeds = 100;

    [Fact]
    public void Random_control_flow_does_what_a_walk_of_it_does()
    {
        using var plain = new Engine();
        using var metered = new Engine(new() { IsMetered = true });
        var ends = new HashSet<string>();
        for (var seed = 0; seed < Seeds; seed++)
        {
            var program = new RandomProgram(seed);

            var (end, sum) = program.Walk();
            using var guest = Guest.FromWat(program.Wat, engine: seed % 3 == 0 ? metered : plain);
            var ended = End(guest);

            Assert.Equal((seed, end, sum), (seed, ended, (ulong)guest.Call("sum")[0].AsI64));
            ends.Add(end.Split(' ')[0]);
        }

        Assert.Equal(["null", "returned", "threw", "unreachable"], ends.Order(StringComparer.Ordinal));
    }

    static string End(Guest guest)
    {
        try
        {
            return $"returned {guest.CallI32("f0")}";
        }
        catch (GuestException thrown)
        {
            return $"threw {string.Join(' ', thrown.Values.ToArray().Select(value => value.AsI32))}";
        }
        catch (TrapException trap)
        {
            return trap.Message;
        }
    }
}
