namespace Millrace.Wasm.Tests.Runtime;

public sealed class LinkerTests
{
    static readonly FunctionType Nothing = FunctionType.Of([], []);

    [Fact]
    public void All_imports_that_fail_are_listed_in_one_message()
    {
        var failure = Assert.Throws<LinkException>(() => Guest.FromWat("""
            (module
              (import "env" "missing" (func (param i32) (result i64)))
              (import "env" "f" (func (param i32)))
              (import "env" "m" (memory 2)))
            """, define: linker => linker.Define("env", "f", Nothing, (_, _, _) => { })));

        Assert.Equal(
            "unknown import: env.missing [i32] -> [i64]; "
            + "incompatible import type: env.f [i32] -> [] has the type [] -> []; unknown import: env.m (memory)",
            failure.Message);
    }

    [Fact]
    public void An_unknown_function_traps_when_called_where_the_caller_asks_for_that()
    {
        using var guest = Guest.FromWat("""
            (module
              (import "env" "missing" (func $missing))
              (func (export "f") (call $missing))
              (func (export "g") (result i32) (i32.const 3)))
            """, define: linker => linker.TrapUnknownImports = true);

        var trap = guest.Traps("f");

        Assert.Equal(TrapCode.UnknownImport, trap.Code);
        Assert.Contains("env.missing", trap.Message, StringComparison.Ordinal);
        Assert.Equal(3, guest.CallI32("g"));
    }

    [Fact]
    public void A_linker_of_host_functions_serves_many_stores()
    {
        using var engine = new Engine();
        var module = Module.Compile(engine, WatText.ToBinary("""
            (module
              (import "env" "peek" (func $peek (result i32)))
              (memory (export "memory") 1)
              (func (export "f") (param i32) (result i32) (i32.store (i32.const 4) (local.get 0)) (call $peek)))
            """));
        var linker = new Linker(engine);
        linker.Define("env", "peek", FunctionType.Of([], [ValueType.I32]),
            (caller, _, results) => results[0] = Value.From((int)caller.Memory.Span(4, 1)[0]));

        for (var i = 1; i <= 3; i++)
        {
            using var store = new Store(engine);
            var instance = linker.Instantiate(store, module);
            Assert.Equal(i, instance.FindFunction("f")!.Call(Value.From(i))[0].AsI32);
        }
    }

    [Fact]
    public void A_host_functions_caller_is_the_instance_that_imported_it()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var linker = new Linker(engine);
        Instance? seen = null;
        linker.Define("env", "f", Nothing, (caller, _, _) => seen = caller.Instance);
        var first = linker.Instantiate(
            store, Compile("""(module (import "env" "f" (func $f)) (export "f" (func $f)))"""));
        linker.Define("first", first);
        var second = linker.Instantiate(
            store, Compile("""(module (import "first" "f" (func $f)) (func (export "g") (call $f)))"""));

        second.FindFunction("g")!.Call();
        Assert.Same(second, seen);
        first.FindFunction("f")!.Call();
        Assert.Same(first, seen);

        Module Compile(string text) => Module.Compile(engine, WatText.ToBinary(text));
    }

    [Fact]
    public void Host_made_externs_are_shared_with_the_guest()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var memory = new Memory(store, 1, 2);
        var table = new Table(store, ValueType.FuncRef, 4);
        var global = new Global(store, ValueType.I64, isMutable: true, Value.From(5L));
        var linker = new Linker(engine);
        linker.Define("host", "memory", memory);
        linker.Define("host", "table", table);
        linker.Define("host", "global", global);
        table[2] = new Function(store, FunctionType.Of([ValueType.I64], [ValueType.I64]),
            (_, arguments, results) => results[0] = Value.From(arguments[0].AsI64 * 2));
        var instance = linker.Instantiate(store, Module.Compile(engine, WatText.ToBinary("""
            (module
              (import "host" "memory" (memory 1)) (import "host" "table" (table 4 funcref))
              (import "host" "global" (global $g (mut i64)))
              (func (export "f")
                (global.set $g (call_indirect (param i64) (result i64) (global.get $g) (i32.const 2)))
                (i64.store (i32.const 16) (global.get $g))))
            """)));

        instance.FindFunction("f")!.Call();

        Assert.Equal(10, global.Value.AsI64);
        Assert.Equal(10, memory.Span(16, 1)[0]);
    }

    [Fact]
    public void Nothing_of_one_store_enters_another()
    {
        using var engine = new Engine();
        using var one = new Store(engine);
        using var other = new Store(engine);
        var function = new Function(one, Nothing, (_, _, _) => { });
        var table = new Table(other, ValueType.FuncRef, 1);
        var linker = new Linker(engine);
        linker.Define("env", "m", new Memory(one, 1));
        var module = Module.Compile(engine, WatText.ToBinary("""(module (import "env" "m" (memory 1)))"""));

        Assert.Throws<ArgumentException>(() => table[0] = function);
        Assert.Throws<ArgumentException>(() => table.Grow(1, function));
        Assert.Throws<LinkException>(() => linker.Instantiate(other, module));
    }

    // Guest code calls what a table of functions holds without looking at its class.
    [Fact]
    public void A_table_of_functions_takes_nothing_else()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var table = new Table(store, ValueType.FuncRef, 1);

        Assert.Throws<ArgumentException>(() => table[0] = "text");
        Assert.Throws<ArgumentException>(() => table.Grow(1, "text"));
        Assert.Throws<ArgumentException>(() => new Table(store, ValueType.FuncRef, 1, initial: "text"));
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void A_failed_initialisation_keeps_what_it_did_before()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var memory = new Memory(store, 1);
        var linker = new Linker(engine);
        linker.Define("host", "memory", memory);
        var module = Module.Compile(engine, WatText.ToBinary("""
            (module (import "host" "memory" (memory 1)) (data (i32.const 0) "a") (data (i32.const 65536) "b"))
            """));

        var trap = Assert.Throws<TrapException>(() => linker.Instantiate(store, module));

        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, trap.Code);
        Assert.Equal((byte)'a', memory.Span(0, 1)[0]);
    }

    [Fact]
    public void A_disposed_store_refuses_calls()
    {
        var guest = Guest.FromWat("""(module (memory (export "m") 1) (func (export "f")))""");
        var function = guest.Instance.FindFunction("f")!;
        var memory = guest.Instance.FindMemory("m")!;

        guest.Dispose();

        Assert.Throws<ObjectDisposedException>(() => function.Call());
        Assert.False(memory.TrySpan(0, 1, out _));
    }

    [Fact]
    public void A_store_cannot_be_disposed_or_entered_by_others_while_it_runs()
    {
        Guest? running = null;
        var failures = new List<Exception?>();
        using var guest = Guest.FromWat("""
            (module (import "" "f" (func $f)) (func (export "f") (call $f)) (func (export "g")))
            """, define: linker => linker.Define("", "f", Nothing, (_, _, _) =>
        {
            failures.Add(Record.Exception(running!.Dispose));
            var thread = new Thread(() => failures.Add(Record.Exception(() => running.Call("g"))));
            thread.Start();
            thread.Join();
            failures.Add(Record.Exception(() => running.Call("g")));
        }));
        running = guest;

        guest.Call("f");

        Assert.IsType<InvalidOperationException>(failures[0]);
        Assert.IsType<InvalidOperationException>(failures[1]);
        Assert.Null(failures[2]);
    }
}
