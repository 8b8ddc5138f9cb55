using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using Millrace.Wasm;

namespace Millrace.Fuzz;

/// <summary>Where modules of seeds come from.</summary>
interface IModuleSource
{
    /// <summary>The module of a seed and its binary form.</summary>
    Task<(GeneratedModule Module, byte[] Wasm)> MakeAsync(long seed);
}

/// <summary>This program's own generator; every other module counts what it executes.</summary>
sealed class OwnSource : IModuleSource
{
    const int ProfiledOneIn = 2;

    public Task<(GeneratedModule Module, byte[] Wasm)> MakeAsync(long seed)
    {
        var module = ModuleGenerator.Make(seed, isProfiled: seed % ProfiledOneIn == 0);
        return Task.FromResult((module, WatText.ToBinary(module.Wat)));
    }
}

/// <summary>
/// Modules of other people's making: Binaryen's <c>wasm-opt -ttf</c> (Debian's package binaryen), which makes one of any
/// bytes. NaNs are made zeros, for their bits differ by right. What its version 108 has of references, garbage
/// collection and exceptions is of drafts that no engine takes any more: those stay with the own generator.
/// </summary>
sealed class WasmOptSource : IModuleSource
{
    const string Program = "wasm-opt";
    const int BytesMin = 500;
    const int BytesMax = 6000;
    const string Start = "hangLimitInitializer"; // gives loops and recursion their next ten rounds

    static readonly string[] Arguments =
    [
        "-ttf", "--denan", "--enable-sign-ext", "--enable-mutable-globals", "--enable-nontrapping-float-to-int",
        "--enable-simd", "--enable-bulk-memory", "--enable-multivalue", "--enable-tail-call",
        "--enable-extended-const",
    ];

    /// <summary>Its version; null where it is not installed.</summary>
    public static string? Version()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Program, ["--version"]) { RedirectStandardOutput = true })!;
            var text = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return text;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    public async Task<(GeneratedModule Module, byte[] Wasm)> MakeAsync(long seed)
    {
        var choices = new Choices(seed);
        var input = new byte[BytesMin + choices.Below(BytesMax - BytesMin)];
        for (var i = 0; i < input.Length; i++) input[i] = (byte)choices.Bits();
        var place = Path.Combine(Path.GetTempPath(), $"millrace-ttf-{Guid.NewGuid():N}");
        try
        {
            await File.WriteAllBytesAsync(place, input);
            await RunAsync([.. Arguments, place, "-o", $"{place}.wasm"]);
            var wasm = await File.ReadAllBytesAsync($"{place}.wasm");
            return (new("", Calls(choices, ModuleSummary.Of(wasm)), []), wasm);
        }
        finally
        {
            File.Delete(place);
            File.Delete($"{place}.wasm");
        }
    }

    static async Task RunAsync(string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{Program}: {errors}");
    }

    // Of those exports whose values JavaScript can give and take.
    static ImmutableArray<GeneratedCall> Calls(Choices choices, ModuleSummary summary)
    {
        var calls = ImmutableArray.CreateBuilder<GeneratedCall>();
        foreach (var export in summary.Exports.Where(export => export.Kind == ExternKind.Function && export.Name != Start))
        {
            var sides = export.Type.Split(" -> ").Select(side => side.Trim('[', ']').Split(
                ' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
            if (sides.SelectMany(side => side).Any(type => type is not ("i32" or "i64" or "f32" or "f64"))) continue;
            calls.Add(new(Start, [], []));
            calls.Add(new(export.Name, [.. sides[0].Select(type => ModuleGenerator.Argument(choices, type[0] switch
            {
                'f' => type == "f32" ? 'f' : 'd',
                _ => type == "i32" ? 'i' : 'l',
            }))], [.. sides[1]]));
        }

        return calls.ToImmutable();
    }
}
