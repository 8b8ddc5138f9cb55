using System.Reflection;
using System.Runtime;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Tests.Ahead;

public sealed class AheadTests
{
    // Calls in both directions, through a table, of each other; floats, memory, an object and a cast.
    static string Wat(int number) => $$"""
        (module
          (type $unary (func (param i32) (result i32)))
          (type $pair (sub (struct (field i32) (field f64))))
          (type $triple (sub $pair (struct (field i32) (field f64) (field i64))))
          (import "host" "twice" (func $twice (type $unary)))
          (memory (export "memory") 1)
          (global $g (mut i32) (i32.const {{number}}))
          (table 4 funcref)
          (elem (i32.const 0) $twice $add)
          (func $add (type $unary) (i32.add (local.get 0) (global.get $g)))
          (func (export "through") (param i32 i32) (result i32)
            (call_indirect (type $unary) (local.get 1) (local.get 0)))
          (func (export "floats") (param f64) (result f64) (local f64)
            (local.set 1 (f64.mul (local.get 0) (f64.const 1.5)))
            (f64.min (f64.sqrt (local.get 1)) (f64.const 100)))
          (func (export "memory") (param i32) (result i32)
            (i32.store (local.get 0) (i32.const 7)) (i32.load8_u (local.get 0)))
          (func (export "objects") (param i32) (result i32)
            (local $made (ref null $pair))
            (local.set $made (if (result (ref null $pair)) (local.get 0)
              (then (struct.new $triple (i32.const 3) (f64.const 2) (i64.const 1)))
              (else (struct.new $pair (i32.const 4) (f64.const 2)))))
            (i32.add
              (struct.get $pair 0 (local.get $made))
              (i32.mul (i32.const 10) (ref.test (ref $triple) (local.get $made)))))
          (func (export "tail") (param i32 i64) (result i64)
            (if (result i64) (local.get 0)
              (then (return_call 6 (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 2))))
              (else (local.get 1)))))
        """.Replace("(export \"memory\") (param", "(export \"bytes\") (param", StringComparison.Ordinal);

    static Guest Load(Engine engine, int number) =>
        Guest.FromBytes(WatText.ToBinary(Wat(number)), Define, null, engine);

    static void Define(Linker linker) => linker.Define(
        "host", "twice", new([ValueType.I32], [ValueType.I32]),
        (_, arguments, results) => results[0] = Value.From(2 * arguments[0].AsI32));

    static void UseAll(Guest guest, int number)
    {
        Assert.Equal(42, guest.CallI32("through", Value.From(0), Value.From(21)));
        Assert.Equal(number + 21, guest.CallI32("through", Value.From(1), Value.From(21)));
        Assert.Equal(3.0, guest.Call("floats", Value.From(6.0))[0].AsF64);
        Assert.Equal(7, guest.CallI32("bytes", Value.From(65532)));
        Assert.Equal(13, guest.CallI32("objects", Value.From(1)));
        Assert.Equal(4, guest.CallI32("objects", Value.From(0)));
        Assert.Equal(2_000_000, guest.Call("tail", Value.From(1_000_000), Value.From(0L))[0].AsI64);
    }

    [SkippableFact]
    public void The_jit_compiles_nothing_of_a_module_that_was_compiled_ahead()
    {
        using var folder = new CacheFolder();
        using var engine = folder.Engine();
        // The host's own ways are warm after the first.
        using (var first = Load(engine, 1)) UseAll(first, 1);
        Assert.Equal(0, folder.Cache.Compile(engine.Options, WatText.ToBinary(Wat(2))).Remaining);

        var before = JitInfo.GetCompiledMethodCount(currentThread: true);
        using var guest = Load(engine, 2);
        UseAll(guest, 2);
        var jitted = JitInfo.GetCompiledMethodCount(currentThread: true) - before;

        Assert.True(guest.Instance.Module.IsAheadOfTime);
        Assert.Equal(0, jitted);
    }

    [SkippableFact]
    public void Hot_code_is_not_compiled_again()
    {
        using var folder = new CacheFolder();
        using var guest = Load(folder.Engine(), 3);

        var functions = guest.Instance.Module.Code.Image!.Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public)).ToArray();

        Assert.NotEmpty(functions);
        Assert.All(functions, function => Assert.True(
            function.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveOptimization)));
    }

    [SkippableFact]
    public void Engines_with_other_numbers_for_the_types_share_an_image()
    {
        using var folder = new CacheFolder();
        using var first = folder.Engine();
        using var second = folder.Engine();
        for (var fields = 1; fields < 9; fields++)
        {
            var others = string.Concat(Enumerable.Repeat("(field i64)", fields));
            Module.Compile(second, WatText.ToBinary($"(module (type (struct {others})) (type (func (param f32))))"));
        }

        using var one = Load(first, 4);
        using var other = Load(second, 4);
        UseAll(one, 4);
        UseAll(other, 4);

        Assert.Same(one.Instance.Module.Code.Image, other.Instance.Module.Code.Image);
    }

    [SkippableFact]
    public void A_call_of_another_type_traps_in_an_image_that_engines_share()
    {
        const string Text = """
            (module
              (type $wanted (func (param i32) (result i32)))
              (func $other (param i64) (result i32) (i32.const 1))
              (table 1 funcref)
              (elem (i32.const 0) $other)
              (func (export "f") (result i32) (call_indirect (type $wanted) (i32.const 1) (i32.const 0))))
            """;
        using var folder = new CacheFolder();
        using var busy = folder.Engine();
        using var guest = Guest.FromWat(Text, engine: folder.Engine());
        using (Load(busy, 5)) { }
        using var again = Guest.FromWat(Text, engine: busy);

        Assert.Equal(TrapCode.IndirectCallTypeMismatch, guest.Traps("f").Code);
        Assert.Equal(TrapCode.IndirectCallTypeMismatch, again.Traps("f").Code);
    }

    [SkippableFact]
    public void A_trap_names_functions_of_code_that_was_compiled_ahead()
    {
        using var folder = new CacheFolder();
        using var guest = Guest.FromWat("""
            (module
              (memory 1)
              (func $inner (param i32) (result i32) (if (local.get 0) (then (drop (call $inner (i32.const 0)))))
                (i32.load (i32.const 65536)))
              (func $outer (export "f") (result i32) (call $inner (i32.const 1))))
            """, engine: folder.Engine());

        var trap = guest.Traps("f");

        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, trap.Code);
        Assert.Equal(["inner", "inner", "outer"], trap.Backtrace.Select(frame => frame.Name));
    }

    [SkippableFact]
    public void An_interrupt_stops_code_that_was_compiled_ahead()
    {
        using var folder = new CacheFolder();
        using var guest = Guest.FromWat("(module (func (export \"f\") (loop (br 0))))", engine: folder.Engine());
        using var timer = new Timer(_ => guest.Store.Interrupt(), null, 50, Timeout.Infinite);

        Assert.Equal(TrapCode.Interrupted, guest.Traps("f").Code);
    }

    [SkippableFact]
    public void A_fault_behind_a_guarded_memory_is_a_trap_as_in_code_of_the_jit()
    {
        Skip.IfNot(
            OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64,
            "pages guard memories on Linux and x64 only");
        using var folder = new CacheFolder();
        using var ahead = Load(folder.Engine(new() { MemoryChecks = MemoryChecks.Guarded }), 8);

        Assert.Equal(7, ahead.CallI32("bytes", Value.From(65532)));
        foreach (var address in (int[])[65533, 65536, -1, -4, int.MinValue])
            Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, ahead.Traps("bytes", Value.From(address)).Code);
    }

    [SkippableFact]
    public void Fuel_is_counted_as_in_code_of_the_jit()
    {
        using var folder = new CacheFolder();
        using var ahead = Load(folder.Engine(new() { IsMetered = true }), 6);
        using var jit = Load(new(new() { IsMetered = true }), 6);
        (ahead.Store.Fuel, jit.Store.Fuel) = (1_000, 1_000);

        ahead.Call("tail", Value.From(50), Value.From(0L));
        jit.Call("tail", Value.From(50), Value.From(0L));

        Assert.True(ahead.Store.Fuel < 1_000);
        Assert.Equal(jit.Store.Fuel, ahead.Store.Fuel);
    }
}
