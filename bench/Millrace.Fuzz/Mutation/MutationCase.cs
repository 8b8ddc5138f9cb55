using System.Diagnostics;
using Millrace.Wasm;
using Millrace.Wasm.Scripts;
using Millrace.Wasm.Text;
using Millrace.Wasm.Validation;
using Decoder = Millrace.Wasm.Binary.Decoder;

namespace Millrace.Fuzz.Mutation;

/// <summary>What became of a case that should not have become of it, and its input.</summary>
sealed record MutationFailure(long Seed, string What, byte[] Input);

/// <summary>
/// Runs the case of a seed through everything that reads modules: decoder, validator, compiler, names and lines, text
/// and script reader. Each may answer with its phase's exception, within time and memory by the input's size. What is
/// valid runs a little, too.
/// </summary>
sealed class MutationCase(MutationCorpus corpus) : IDisposable
{
    const int BytesFree = 4_000_000;
    const int BytesPerByte = 400;
    const long Fuel = 20_000;

    // Of a busy machine; what is meant are inputs that take for ever.
    static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    static readonly StoreLimits Limits = new()
    {
        MemoryBytesMax = 1 << 22,
        TableElementsMax = 100_000,
        ObjectBytesMax = 1 << 22,
        StackBytesMax = 1 << 18,
    };

    readonly Engine _engine = new(new() { IsMetered = true });

    /// <summary>How many inputs came how far.</summary>
    public Dictionary<string, long> Ends { get; } = [];

    /// <summary>Null: as it should be.</summary>
    public MutationFailure? Run(long seed)
    {
        var choices = new Choices(seed);
        var (kind, input) = InputOf(choices);
        var clock = Stopwatch.StartNew();
        try
        {
            var end = kind switch
            {
                'b' => RunBinary(input),
                't' => RunText(input),
                _ => RunScript(input),
            };
            end = $"{(kind == 'b' ? "binary" : kind == 't' ? "text" : "script")}: {end}";
            Ends[end] = Ends.GetValueOrDefault(end) + 1;
        }
        catch (Exception error)
        {
            // What is looked for.
            return new(seed, $"{kind} {error.GetType().Name}: {error.Message} {error.StackTrace}", input);
        }

        return clock.Elapsed < TimeMax ? null : new(seed, $"{kind} took {clock.Elapsed.TotalSeconds:0} s", input);
    }

    (char Kind, byte[] Input) InputOf(Choices choices)
    {
        switch (choices.Below(5))
        {
            case <= 2:
                return ('b', new BinaryMutator(choices, corpus).Next());
            case 3:
                var mutator = new TextMutator(choices);
                return ('t', mutator.NextBytes(choices.Of(corpus.Texts), choices.Of(corpus.Texts)));
            default:
                var (one, other) = (choices.Of(corpus.Scripts), choices.Of(corpus.Scripts));
                return ('s', new TextMutator(choices).NextBytes(one, other));
        }
    }

    string RunBinary(byte[] bytes)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        string end;
        try
        {
            var definition = Decoder.Decode(bytes);
            end = "invalid";
            _ = definition.Names.Module;
            for (var offset = 0; offset < 64; offset++) _ = definition.Lines.Find(offset);
            Validator.Validate(definition);
            end = "valid";
        }
        catch (MalformedException)
        {
            end = "malformed";
        }
        catch (InvalidException)
        {
            end = "invalid";
        }

        var taken = GC.GetAllocatedBytesForCurrentThread() - before;
        if (taken > BytesFree + ((long)BytesPerByte * bytes.Length))
            throw new InvalidOperationException($"{bytes.Length} bytes took {taken} of the host's memory");
        return end == "valid" ? RunValid(bytes) : end;
    }

    string RunValid(byte[] bytes)
    {
        Module module;
        try
        {
            _ = ModuleSummary.Of(bytes);
            module = Module.Compile(_engine, bytes);
        }
        catch (UnsupportedFeatureException)
        {
            return "unsupported";
        }

        using var store = new Store(_engine, Limits) { Fuel = Fuel };
        try
        {
            var instance = new Linker(_engine) { TrapUnknownImports = true }.Instantiate(store, module);
            foreach (var export in module.Exports.Where(export => export.Kind == ExternKind.Function))
                Call(instance.FindFunction(export.Name)!);
        }
        catch (LinkException)
        {
            return "valid, not linked";
        }
        catch (Exception error) when (error is TrapException or GuestException)
        {
            return "valid, start trapped";
        }

        return "valid, ran";
    }

    static void Call(Function function)
    {
        if (function.Type.Parameters.Any(type => type.Kind == ValueKind.Ref && !type.IsNullable)) return;
        try
        {
            function.Call(new Value[function.Type.Parameters.Length]);
        }
        catch (TrapException trap)
        {
            _ = trap.Backtrace;
        }
        catch (GuestException)
        {
        }
    }

    string RunText(byte[] text)
    {
        try
        {
            return RunBinary(WatText.ToBinary(text));
        }
        catch (MalformedException)
        {
            return "malformed text";
        }
        catch (InvalidException)
        {
            return "invalid text";
        }
    }

    static string RunScript(byte[] text)
    {
        ScriptReader reader;
        try
        {
            reader = new ScriptReader(TextSource.FromUtf8(text));
        }
        catch (MalformedException)
        {
            return "malformed";
        }

        for (var (good, bad) = (0, 0); ;)
        {
            try
            {
                if (reader.Next() is not { } command) return bad == 0 ? "read" : good > 0 ? "read in part" : "malformed";
                good++;
                if ((command as ModuleCommand)?.Module is { } plain) _ = plain.ToBinary();
                if ((command as ModuleAssertion)?.Module is { } asserted) _ = asserted.ToBinary();
            }
            catch (Exception error) when (error is MalformedException or InvalidException)
            {
                bad++;
            }
        }
    }

    /// <summary>What a file with the input is called behind the dot.</summary>
    public static string Extension(MutationFailure failure) => failure.Input.AsSpan().StartsWith("\0asm"u8) ? "wasm"
        : failure.Input.AsSpan().IndexOf("assert_"u8) >= 0 ? "wast" : "wat";

    public void Dispose() => _engine.Dispose();
}
