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

    /// <summary>The first generated module that a mistake makes the verifier refuse; null: none of so many.</summary>
    public static Refused? Search(CompilerFault fault, int modules)
    {
        using var engine = new Engine(new() { Fault = fault, Features = WasmFeatures.All });
        for (var seed = 0L; seed < modules; seed++)
        {
            try
            {
                Module.Compile(engine, WatText.ToBinary(ModuleGenerator.Make(seed, isProfiled: false).Wat));
            }
            catch (RefusedCodeException refused)
            {
                return new(seed, refused.Reason);
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
        catch (WasmException other)
        {
            return $"(before: {other.Message})";
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
        var text = new StringBuilder("| mistake | opens the sandbox | refused at seed | because of |\n|---|---|---|---|\n");
        foreach (var fault in FaultSearch.All.Prepend(CompilerFault.None))
        {
            var clock = Stopwatch.StartNew();
            var refused = Search(fault, modules);
            var isUnsafe = Unsafe.Contains(fault) ? "yes" : "";
            var row = refused is null
                ? $"| {fault} | {isUnsafe} | none of {modules} | |"
                : string.Create(CultureInfo.InvariantCulture, $"| {fault} | {isUnsafe} | {refused.Seed} | {refused.Reason} |");
            progress($"{row} {clock.Elapsed.TotalSeconds:0.0} s");
            text.Append(row).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A mistake that was refused.</summary>
    public sealed record Refused(long Seed, string Reason);
}
