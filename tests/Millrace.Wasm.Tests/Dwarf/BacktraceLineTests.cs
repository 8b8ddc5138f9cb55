using static Millrace.Wasm.Tests.Binary.ModuleBytes;

namespace Millrace.Wasm.Tests.Dwarf;

public sealed class BacktraceLineTests
{
    [Theory]
    [InlineData("crash-rust-4.wasm", "crash.rs")]
    [InlineData("crash-rust-5.wasm", "/src/crash.rs")]
    public void A_backtrace_of_a_Rust_program_names_its_lines(string file, string path)
    {
        var frames = Trap(file, "out_of_bounds", Value.From(99_999_999)).Backtrace;

        Assert.Equal([17, 24, 33], frames.Select(frame => frame.Line ?? 0));
        Assert.All(frames, frame => Assert.Equal(path, frame.File));
        Assert.Equal($"out_of_bounds ({path}:33)", frames[2].ToString());
    }

    [Fact]
    public void A_backtrace_of_a_C_program_names_its_lines()
    {
        var frames = Trap("crash-c.wasm", "sum_of", Value.From(3), Value.From(9_999_999)).Backtrace;

        Assert.Equal(["pick (/src/crash.c:9)", "sum_of (/src/crash.c:16)"], frames.Select(frame => frame.ToString()));
    }

    [Fact]
    public void A_backtrace_of_recursion_names_the_line_that_recurs()
    {
        var trap = Trap("crash-rust-5.wasm", "recurse", Value.From(0));

        Assert.Equal(TrapCode.CallStackExhausted, trap.Code);
        Assert.Equal(64, trap.Backtrace.Length);
        Assert.All(trap.Backtrace.Skip(1), frame => Assert.Equal(54, frame.Line));
    }

    // The function traps at its n-th call; each of its calls is on a line of its own.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Each_call_is_told_from_its_neighbours(int call)
    {
        const string Calls = """
            (module
              (import "" "host" (func $host (param i32) (result i32)))
              (memory 1)
              (type $t (func (param i32) (result i32)))
              (table funcref (elem $f))
              (func $tick (param i32) (result i32)
                (i32.load (i32.mul (i32.eqz (local.get 0)) (i32.const 0x7fffffff)))
                (i32.sub (local.get 0) (i32.const 1)) (i32.add))
              (func $f (param i32) (result i32) (local i32)
                (loop (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 3))))
                (call $tick (local.get 0)))
              (func $g (param i32) (call $f (local.get 0)) drop)
              (func (export "run") (param i32) (result i32)
                (call $g (local.get 0))
                (i32.add (i32.const 5) (call $f (i32.sub (local.get 0) (i32.const 1)))) drop
                (if (result i32) (call $f (i32.sub (local.get 0) (i32.const 2)))
                  (then (call_indirect (type $t) (i32.const 8) (i32.const 0)))
                  (else (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 3)) (i32.const 0))))
                (call $host (i32.sub (local.get 0) (i32.const 4)))
                (i32.store (i32.mul (i32.eq (local.get 0) (i32.const 5)) (i32.const 0x7fffffff)) (i32.const 0))
                (i32.add)))
            """;
        var module = Wasm.Binary.Decoder.Decode(WatText.ToBinary(Calls));
        var opcodes = Offsets(module);

        using var guest = Guest.FromBytes(WithLines(WatText.ToBinary(Calls)), linker => linker.Define(
            "", "host", FunctionType.Of([ValueType.I32], [ValueType.I32]), (_, arguments, results) =>
            {
                if (arguments[0].AsI32 == 0) throw new TrapException(TrapCode.HostFault);
                results[0] = arguments[0];
            }));
        var frame = guest.Traps("run", Value.From(call)).Backtrace[^1];

        Assert.Equal(opcodes[call], frame.CodeOffset);
    }

    [Fact]
    public void A_function_that_was_inlined_has_a_frame_where_it_trapped()
    {
        using var guest = Guest.FromBytes(WithLines(WatText.ToBinary("""
            (module (memory 1)
              (func $leaf (param i32) (result i32) (i32.load (local.get 0)))
              (func $outer (export "run") (param i32) (result i32) (i32.add (i32.const 1) (call $leaf (local.get 0)))))
            """)));

        var frames = guest.Traps("run", Value.From(-1)).Backtrace;

        Assert.Equal([0, 1], frames.Select(frame => frame.FunctionIndex));
        Assert.All(frames, frame => Assert.NotNull(frame.CodeOffset));
    }

    [Fact]
    public void A_module_without_line_tables_tells_functions_alone()
    {
        using var guest = Guest.FromWat("""(module (func $f (export "f") unreachable))""");

        Assert.Equal(new GuestFrame(0, "f"), guest.Traps("f").Backtrace.Single());
    }

    static TrapException Trap(string file, string name, params Value[] arguments)
    {
        using var guest = Guest.FromBytes(File.ReadAllBytes(LineTableTests.Golden(file)));
        return guest.Traps(name, arguments);
    }

    static byte[] WithLines(byte[] module) => [.. module, .. Custom(".debug_line")];

    // Of the instructions of "run" that may trap with call 0, 1, 2, …
    static List<int> Offsets(Wasm.Binary.ModuleDefinition module)
    {
        var reader = new Wasm.Binary.InstructionReader(module.Bytes.Span, module.Functions[^1].Body);
        var offsets = new List<int>();
        var indirect = 0;
        while (reader.Read())
        {
            var isOne = reader.Opcode is Wasm.Binary.Opcode.Call or Wasm.Binary.Opcode.I32Store || (reader.Opcode == Wasm.Binary.Opcode.CallIndirect && indirect++ == 1);
            if (isOne) offsets.Add(reader.Offset - module.CodeSection.Start);
        }
        return offsets;
    }
}
