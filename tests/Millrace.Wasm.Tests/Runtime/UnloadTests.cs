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
    public void Crossings_are_unloaded_with_the_last_module_that_has_their_type()
    {
        using var engine = new Engine();
        var crossings = Enumerable.Range(1, 20).Select(i => CrossOnce(engine, i)).ToArray();

        for (var i = 0; i < 20 && crossings.Any(code => code.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(0, crossings.Count(code => code.IsAlive));
    }

    [Fact]
    public void Functions_of_the_host_keep_their_crossings()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var type = new FunctionType([ValueType.I64, ValueType.F32], [ValueType.I64]);
        var function = new Function(store, type, (_, values, results) => results[0] = values[0]);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.Equal(5, function.Call(Value.From(5L), Value.From(1f))[0].AsI64);
        Assert.Same(engine.Signatures.Of(type), function.Signature);
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

    // Each with a type that no other has, which is called both ways.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference CrossOnce(Engine engine, int parameters)
    {
        using var store = new Store(engine);
        var type = $"(param {string.Join(' ', Enumerable.Repeat("i32", parameters))}) (result i32)";
        var arguments = string.Concat(Enumerable.Range(0, parameters).Select(i => $"(local.get {i})"));
        var module = Module.Compile(engine, WatText.ToBinary($"""
            (module
              (import "" "count" (func $count {type}))
              (func (export "f") {type} (call $count {arguments})))
            """));
        var linker = new Linker(engine);
        linker.Define(
            "", "count", new FunctionType([.. Enumerable.Repeat(ValueType.I32, parameters)], [ValueType.I32]),
            (_, values, results) => results[0] = Value.From(values.Length));
        var function = linker.Instantiate(store, module).FindFunction("f")!;
        Assert.Equal(parameters, function.Call([.. Enumerable.Repeat(Value.From(0), parameters)])[0].AsI32);
        return new(
            AssemblyLoadContext.GetLoadContext(function.Signature.Crossings!.Code.Assembly), trackResurrection: true);
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
