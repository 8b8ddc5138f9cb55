using System.Text;
using Millrace.Wasm;

namespace Millrace.Flows.Tests.Computing;

/// <summary>
/// A program compiled against <c>wasi_ephemeral_nn</c>: it reads its input, computes a model on it and writes the output. Its
/// exit code is the errno of the call that failed. It knows nothing of doors and journals.
/// </summary>
static class NnGuest
{
    /// <summary>Takes one tensor of single-precision numbers from standard input.</summary>
    /// <param name="name">A model's name; null: the model comes in front of the tensor.</param>
    public static byte[] Tensors(string? name, int modelBytes, int[] shape)
    {
        var bytes = shape.Aggregate(4, (all, size) => all * size);
        var load = name is null
            ? """(call $check (call $load (i32.const 16) (i32.const 1) (i32.const 4) (i32.const 0) (i32.const 0)))"""
            : $"""(call $check (call $load_by_name (i32.const 64) (i32.const {name.Length}) (i32.const 0)))""";
        return Module($"""
            (data (i32.const 16) "{Word(65536)}{Word(modelBytes)}")
            (data (i32.const 32) "{string.Concat(shape.Select(Word))}")
            (data (i32.const 64) "{name}")
            (data (i32.const 128) "{Word(32)}{Word(shape.Length)}{Word(1)}{Word(65536 + modelBytes)}{Word(bytes)}")
            """, $"""
            {load}
            (call $check (call $init (i32.load (i32.const 0)) (i32.const 4)))
            (call $check (call $set_input (i32.load (i32.const 4)) (i32.const 0) (i32.const 128)))
            (call $check (call $compute (i32.load (i32.const 4))))
            (call $check (call $get_output (i32.load (i32.const 4)) (i32.const 0) (i32.const 4096) (i32.const 4096) (i32.const 8)))
            (call $write (i32.const 4096) (i32.load (i32.const 8)))
            """);
    }

    /// <summary>Takes a prompt from standard input and writes the text as its tokens come, then what is told about it.</summary>
    public static byte[] Text(string name, string options) => Module($"""
        (data (i32.const 64) "{name}")
        (data (i32.const 32) "{Word(1)}")
        (data (i32.const 256) "{options.Replace("\"", "\\22", StringComparison.Ordinal)}")
        (data (i32.const 160) "{Word(32)}{Word(1)}{Word(3)}{Word(256)}{Word(options.Length)}")
        """, $"""
        (call $check (call $load_by_name (i32.const 64) (i32.const {name.Length}) (i32.const 0)))
        (call $check (call $init (i32.load (i32.const 0)) (i32.const 4)))
        (call $check (call $set_input (i32.load (i32.const 4)) (i32.const 1) (i32.const 160)))
        (i32.store (i32.const 128) (i32.const 32)) (i32.store (i32.const 132) (i32.const 1)) (i32.store (i32.const 136) (i32.const 3))
        (i32.store (i32.const 140) (i32.const 65536)) (i32.store (i32.const 144) (global.get $read))
        (call $check (call $set_input (i32.load (i32.const 4)) (i32.const 0) (i32.const 128)))
        (block $end (loop $more
          (br_if $end (i32.ge_u (local.tee $errno (call $compute_single (i32.load (i32.const 4)))) (i32.const 100)))
          (call $check (local.get $errno))
          (call $check (call $get_output_single
            (i32.load (i32.const 4)) (i32.const 0) (i32.const 4096) (i32.const 4096) (i32.const 8)))
          (call $write (i32.const 4096) (i32.load (i32.const 8)))
          (br $more)))
        (call $write (i32.const 15) (i32.const 1))
        """);

    static byte[] Module(string data, string body) => WatText.ToBinary(Encoding.UTF8.GetBytes($"""
        (module
          (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_ephemeral_nn" "load" (func $load (param i32 i32 i32 i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "load_by_name" (func $load_by_name (param i32 i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "init_execution_context" (func $init (param i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "set_input" (func $set_input (param i32 i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
          (import "wasi_ephemeral_nn" "get_output" (func $get_output (param i32 i32 i32 i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "compute_single" (func $compute_single (param i32) (result i32)))
          (import "wasi_ephemeral_nn" "get_output_single" (func $get_output_single (param i32 i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 64)
          (global $read (mut i32) (i32.const 0))
          (data (i32.const 15) "|")
          {data}
          (func $check (param $errno i32) (if (local.get $errno) (then (call $exit (local.get $errno)))))
          (func $write (param $at i32) (param $length i32)
            (i32.store (i32.const 512) (local.get $at)) (i32.store (i32.const 516) (local.get $length))
            (drop (call $fd_write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 520))))
          (func (export "_start") (local $errno i32)
            (loop $more
              (i32.store (i32.const 512) (i32.add (i32.const 65536) (global.get $read)))
              (i32.store (i32.const 516) (i32.const 65536))
              (drop (call $fd_read (i32.const 0) (i32.const 512) (i32.const 1) (i32.const 520)))
              (global.set $read (i32.add (global.get $read) (i32.load (i32.const 520))))
              (br_if $more (i32.load (i32.const 520))))
            {body}))
        """));

    static string Word(int number) => string.Concat(BitConverter.GetBytes(number).Select(octet => $"\\{octet:x2}"));
}
