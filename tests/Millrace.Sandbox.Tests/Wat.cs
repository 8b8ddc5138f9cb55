using System.Collections.Concurrent;
using Millrace.Wasm;

namespace Millrace.Sandbox.Tests;

/// <summary>Guests in the text format, with what all of them need.</summary>
static class Wat
{
    public static readonly Engine Engine = new();

    /// <summary>Prints its first argument, its environment and its input, and to the error stream an asset.</summary>
    public const string TellsWhatItWasGiven =
        """
        (drop (call $args_get (i32.const 3072) (i32.const 9000)))
        (call $print (i32.const 9000) (i32.const 5))
        (drop (call $environ_get (i32.const 3072) (i32.const 9000)))
        (call $print (i32.const 9000) (i32.const 4))
        (i32.store (i32.const 1040) (i32.const 9000)) (i32.store (i32.const 1044) (i32.const 100))
        (drop (call $fd_read (i32.const 0) (i32.const 1040) (i32.const 1) (i32.const 3072)))
        (call $print (i32.const 9000) (i32.load (i32.const 3072)))
        (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 96) (i32.const 8) (i32.const 0) (i64.const 2) (i64.const 0)
          (i32.const 0) (i32.const 3080)))
        (drop (call $fd_read (i32.load (i32.const 3080)) (i32.const 1040) (i32.const 1) (i32.const 3072)))
        (drop (call $write (i32.const 2) (i32.const 9000) (i32.load (i32.const 3072))))
        """;

    /// <summary>The name of that asset, in memory.</summary>
    public const string AssetName = """(data (i32.const 96) "assets/a")""";

    static readonly ConcurrentDictionary<string, Module> Modules = new();

    /// <summary>
    /// Memory: 16 "kv.get", 32 "{}", 64 a body of 4 bytes, 1024 vectors, 2048 handles, 2400 what wait says,
    /// 3072 numbers, 8192 what is taken.
    /// </summary>
    const string Prelude = """
        (import "millrace" "start" (func $start (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "millrace" "wait" (func $wait (param i32 i32 i32 i32) (result i32)))
        (import "millrace" "take" (func $take (param i32 i32 i32)))
        (import "millrace" "cancel" (func $cancel (param i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
        (memory (export "memory") 4)
        (data (i32.const 16) "kv.get")
        (data (i32.const 32) "{}")
        (func $write (param $fd i32) (param $ptr i32) (param $len i32) (result i32)
          (i32.store (i32.const 1024) (local.get $ptr))
          (i32.store (i32.const 1028) (local.get $len))
          (call $fd_write (local.get $fd) (i32.const 1024) (i32.const 1) (i32.const 1032)))
        (func $print (param $ptr i32) (param $len i32)
          (drop (call $write (i32.const 1) (local.get $ptr) (local.get $len))))
        (func $print_i32 (param $value i32)
          (i32.store (i32.const 3072) (local.get $value))
          (call $print (i32.const 3072) (i32.const 4)))
        (func $op (param $n i32) (result i32)
          (i32.store (i32.const 64) (local.get $n))
          (call $start (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 64) (i32.const 4)))
        (func $wait_one (param $handle i32) (param $timeout i32) (result i32)
          (i32.store (i32.const 2048) (local.get $handle))
          (call $wait (i32.const 2048) (i32.const 1) (local.get $timeout) (i32.const 2400)))
        (func $take_print (param $handle i32)
          (call $print (i32.const 2400) (i32.const 12))
          (call $take (local.get $handle) (i32.const 8192) (i32.add (i32.const 8192) (i32.load (i32.const 2404))))
          (call $print (i32.const 8192) (i32.add (i32.load (i32.const 2404)) (i32.load (i32.const 2408)))))
        (func $print_clock (param $clock i32)
          (drop (call $clock_time_get (local.get $clock) (i64.const 0) (i32.const 3072)))
          (call $print (i32.const 3072) (i32.const 8)))
        (func $print_random (param $count i32)
          (drop (call $random_get (i32.const 4096) (local.get $count)))
          (call $print (i32.const 4096) (local.get $count)))
        (func $sleep (param $ns i64) (result i32)
          (memory.fill (i32.const 5120) (i32.const 0) (i32.const 48))
          (i32.store (i32.const 5136) (i32.const 1))
          (i64.store (i32.const 5144) (local.get $ns))
          (call $poll_oneoff (i32.const 5120) (i32.const 5200) (i32.const 1) (i32.const 5300)))
        """;

    /// <summary>A module whose program is this body.</summary>
    public static Module Program(string body, string more = "") => Module(Text(body, more));

    /// <summary>The same as bytes, for a worker.</summary>
    public static byte[] ProgramBytes(string body, string more = "") => WatText.ToBinary(Text(body, more));

    static string Text(string body, string more) => $"""
        (module
        {Prelude}
        {more}
        (func (export "_start") {body}))
        """;

    public static Module Module(string text) =>
        Modules.GetOrAdd(text, static text => Millrace.Wasm.Module.Compile(Engine, WatText.ToBinary(text)));
}
