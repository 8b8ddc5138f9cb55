using System.Diagnostics;
using System.Globalization;
using System.Text;
using Millrace.Fuzz.Hostile;
using Millrace.Wasm;
using Millrace.Wasm.Compilation;

namespace Millrace.Fuzz;

/// <summary>Which mistakes of the compiler the verifier refuses, before any code runs.</summary>
static class RefusalSearch
{
    /// <summary>
    /// Mistakes that open the sandbox; all others change only what a guest computes in its own memory, which is the
    /// comparison's matter.
    /// </summary>
    public static IEnumerable<CompilerFault> Unsafe =>
    [
        CompilerFault.ChecksOneByteLess, CompilerFault.ChecksWithoutOffset, CompilerFault.KeepsChecksOfAssigned,
        CompilerFault.KeepsChecksAtLabels, CompilerFault.StoresTooMuch, CompilerFault.KeepsLengthOverCalls,
        CompilerFault.CallsAnyType,
    ];

    // What each of them needs to show.
    const string Simple = """
        (module
          (memory 1)
          (table 1 funcref)
          (func $assigned (param i32 i32) (result i32)
            (drop (i32.load (local.get 0)))
            (local.set 0 (local.get 1))
            (i32.load (local.get 0)))
          (func $joined (param i32 i32) (result i32)
            (if (local.get 1) (then (i32.store (local.get 0) (i32.const 1))))
            (i32.load (local.get 0)))
          (func $called (param i32) (result i32)
            (drop (call $joined (local.get 0) (i32.const 1)))
            (i32.load offset=8 (local.get 0)))
          (func $narrow (param i32) (i64.store16 (local.get 0) (i64.const 1)))
          (func $indirect (param i32) (result i32) (call_indirect (result i32) (local.get 0))))
        """;

    /// <summary>
    /// The first module that a mistake makes the verifier refuse, one written by hand before so many generated ones;
    /// null: none.
    /// </summary>
    public static Refused? Search(CompilerFault fault, int modules, long from = 0, EngineOptions? options = null)
    {
        using var engine = new Engine((options ?? new()) with { Fault = fault, Features = WasmFeatures.All });
        for (var seed = from - 1; seed < from + modules; seed++)
        {
            try
            {
                var wat = seed < from ? Simple : ModuleGenerator.Make(seed, isProfiled: false).Wat;
                Module.Compile(engine, WatText.ToBinary(wat));
            }
            catch (RefusedCodeException refused)
            {
                return new(seed < from ? -1 : seed, refused.Reason);
            }
        }

        return null;
    }

    /// <summary>
    /// What the verifier says of a hostile module whose check the compiler leaves out; null: the code passes, as where
    /// the check is none of the code's.
    /// </summary>
    public static string? Refuses(HostileCase attack)
    {
        using var engine = new Engine(HostileCase.Without(attack.Check, isVerified: true) with { Features = WasmFeatures.All });
        try
        {
            Module.Compile(engine, WatText.ToBinary(attack.Wat));
            return null;
        }
        catch (RefusedCodeException refused)
        {
            return refused.Reason;
        }
        catch (Exception other)
        {
            // A compiler without its checks may fail in any way; what it made was never seen.
            return $"(before: {other.Message.Split('.')[0]})";
        }
    }

    /// <summary>Both tables, as Markdown.</summary>
    public static string Tables(int modules, Action<string> progress)
    {
        var text = new StringBuilder(Table(modules, progress))
            .Append("\n| check left out | hostile modules | refused | because of |\n|---|---|---|---|\n");
        foreach (var group in HostileCase.Names.Select(HostileCase.Read).GroupBy(attack => attack.Check))
        {
            var reasons = group.Select(Refuses).ToArray();
            var refused = reasons.Count(reason => reason is not null);
            var row = string.Create(
                CultureInfo.InvariantCulture,
                $"| {group.Key} | {reasons.Length} | {refused} | {reasons.FirstOrDefault(reason => reason is not null)} |");
            progress(row);
            text.Append(row).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A table of all mistakes, as Markdown.</summary>
    static string Table(int modules, Action<string> progress)
    {
        var text = new StringBuilder("| mistake | opens the sandbox | refused at | because of |\n|---|---|---|---|\n");
        foreach (var fault in FaultSearch.All.Prepend(CompilerFault.None))
        {
            var clock = Stopwatch.StartNew();
            var refused = Search(fault, modules);
            var isUnsafe = Unsafe.Contains(fault) ? "yes" : "";
            var row = refused is null
                ? $"| {fault} | {isUnsafe} | none of {modules} | |"
                : string.Create(CultureInfo.InvariantCulture, $"| {fault} | {isUnsafe} | {Place(refused)} | {refused.Reason} |");
            progress($"{row} {clock.Elapsed.TotalSeconds:0.0} s");
            text.Append(row).Append('\n');
        }

        return text.ToString();
    }

    static string Place(Refused refused) => refused.Seed < 0
        ? "the module by hand"
        : string.Create(CultureInfo.InvariantCulture, $"seed {refused.Seed}");

    /// <summary>A mistake that was refused.</summary>
    /// <param name="Seed">The module; −1 is the one written by hand.</param>
    /// <param name="Reason">Why.</param>
    public sealed record Refused(long Seed, string Reason);
}
