using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class UnloadTests
{
    [Fact]
    public void Code_is_unloaded_when_its_module_is_gone()
    {
        using var engine = new Engine();
        var modules = Enumerable.Range(0, 20).Select(i => RunOnce(engine, i)).ToArray();

        for (var i = 0; i < 20 && modules.Any(module => module.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(0, modules.Count(module => module.IsAlive));
    }

    // bench/Millrace.Bench makes 10,000.
    [Fact]
    public void Three_hundred_deploys_leave_no_code_behind()
    {
        using var engine = new Engine();
        var modules = Enumerable.Range(0, 300).Select(i => RunOnce(engine, i)).ToArray();

        for (var i = 0; i < 20 && modules.Any(module => module.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(0, modules.Count(module => module.IsAlive));
    }

    [Fact]
    public void Code_stays_while_a_function_of_it_is_held()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var function = FunctionOf(engine, store);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.Equal(41, function.Call(Value.From(1))[0].AsI32);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference RunOnce(Engine engine, int number)
    {
        using var store = new Store(engine);
        var module = Compile(engine, number);
        var instance = new Linker(engine).Instantiate(store, module);
        Assert.Equal(number + 1, instance.FindFunction("f")!.Call(Value.From(1))[0].AsI32);
        // The load context is the last thing of a module to go.
        return new(AssemblyLoadContext.GetLoadContext(module.Code.Image!.Assembly), trackResurrection: true);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static Function FunctionOf(Engine engine, Store store) =>
        new Linker(engine).Instantiate(store, Compile(engine, 40)).FindFunction("f")!;

    static Module Compile(Engine engine, int number) => Module.Compile(engine, WatText.ToBinary($"""
        (module
          (type $s (struct (field (mut i32))))
          (global $s (ref $s) (struct.new $s (i32.const {number})))
          (func (export "f") (param i32) (result i32)
            (struct.get $s 0 (struct.new $s (i32.add (local.get 0) (struct.get $s 0 (global.get $s)))))))
        """));
}
