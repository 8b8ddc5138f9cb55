using Millrace.Wasm;

namespace Millrace.Sandbox.Tests;

public sealed class ModuleCacheTests
{
    static byte[] Module(int n) => WatText.ToBinary($"(module (func (export \"f{n}\")))");

    [Fact]
    public void Compiles_the_same_bytes_once_also_for_many_at_a_time()
    {
        var cache = new ModuleCache(Wat.Engine, 4);

        var modules = new Module[32];
        Parallel.For(0, modules.Length, i => modules[i] = cache.Get(Module(1)));

        Assert.Single(modules.Distinct());
        Assert.NotSame(modules[0], cache.Get(Module(2)));
        Assert.Equal(2, cache.Count);
    }

    [Fact]
    public void Lets_go_of_what_was_unused_longest()
    {
        var cache = new ModuleCache(Wat.Engine, 2);
        var first = cache.Get(Module(1));
        var second = cache.Get(Module(2));
        cache.Get(Module(1));

        cache.Get(Module(3));

        Assert.Equal(2, cache.Count);
        Assert.Same(first, cache.Get(Module(1)));
        Assert.NotSame(second, cache.Get(Module(2)));
    }

    [Fact]
    public void Keeps_nothing_of_what_does_not_compile()
    {
        var cache = new ModuleCache(Wat.Engine, 2);

        Assert.Throws<MalformedException>(() => cache.Get(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }));

        Assert.Equal(0, cache.Count);
    }
}
