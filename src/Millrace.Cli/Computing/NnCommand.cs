using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Nn;

namespace Millrace.Cli.Computing;

/// <summary><c>millrace nn run</c>: computes a model on raw tensors, without a guest.</summary>
static class NnCommand
{
    public static Command Create(Screen screen, Func<NnEngines> open) =>
        new("nn", "Computes models that guests use through WASI-NN.") { CreateRun(screen, open) };

    static Command CreateRun(Screen screen, Func<NnEngines> open)
    {
        var model = new Argument<string[]>("model")
        {
            Description = "The model's files: .onnx, .tflite, .xml (.bin beside it), .pb, .pt, .gguf.",
            Arity = ArgumentArity.OneOrMore,
        };
        var inputs = new Option<string[]>("--input")
        {
            Description = "An input of the model, in its order or by name: FILE:TYPE:SHAPE or NAME=FILE:TYPE:SHAPE, "
                + "as in0.bin:f32:1x3x8x8; no sizes for a scalar.",
        };
        var outputs = new Option<string[]>("--output")
        {
            Description = "Where an output is written, in the model's order or by name: FILE or NAME=FILE.",
        };
        var encoding = new Option<string?>("--encoding")
        {
            Description = "What the model is, where its name does not tell: onnx, openvino, tensorflow, tensorflowlite, "
                + "pytorch, ggml, llama2.",
        };
        var options = new Option<string?>("--options") { Description = "Options of a model of text, as JSON." };
        var json = DataFolder.JsonOption();
        var command = new Command("run", """
            Computes a model on raw little-endian tensors. Without inputs it shows what the model takes and gives.

            millrace nn run net.onnx --input in0.bin:f32:1x3x8x8 --output out0.bin
            """) { model, inputs, outputs, encoding, options, json };
        command.SetAction((result, cancel) => Task.Run(
            () =>
            {
                var request = new Request(
                    result.GetRequiredValue(model), [.. (result.GetValue(inputs) ?? []).Select(TensorFile.Parse)],
                    result.GetValue(outputs) ?? [], result.GetValue(encoding), result.GetValue(options));
                using var engines = open();
                return Run(screen, request, result.GetValue(json), engines.Backends, cancel);
            },
            cancel));
        return command;
    }

    sealed record Request(string[] Model, TensorFile[] Inputs, string[] Outputs, string? Encoding, string? Options);

    static int Run(
        Screen screen, Request request, bool isJson, ImmutableArray<INnBackend> backends, CancellationToken cancel)
    {
        try
        {
            // Where all are named, they may be any tensors of a graph.
            var names = request.Outputs.Select(output => TensorFile.Split(output).Name).ToArray();
            ImmutableArray<string> wanted = names.Contains(null) ? [] : [.. names.Select(name => name!)];
            var (encoding, graph) = ModelFiles.Load(request.Model, request.Encoding, request.Options, wanted, backends);
            using (graph)
            {
                // A model of text has no ports; one that takes nothing can be computed at once.
                var isShown = request.Inputs.Length == 0 && request.Outputs.Length == 0;
                var computed = isShown ? [] : Compute(graph, request, cancel);
                Show(screen, isJson, encoding, graph, computed);
            }

            return 0;
        }
        catch (NnException e)
        {
            throw new CommandException($"{request.Model[0]}: {e.Message} (errno {(int)e.Errno})", MillraceCommand.Failed);
        }
    }

    static ImmutableArray<(string Name, Tensor Tensor)> Compute(INnGraph graph, Request request, CancellationToken cancel)
    {
        using var context = graph.CreateContext();
        var next = 0;
        var named = request.Inputs.Select(input => input.Name is { } name ? Index("--input", graph.Inputs, name) : -1).ToArray();
        for (var i = 0; i < named.Length; i++)
        {
            var index = named[i];
            if (index < 0)
            {
                while (named.Contains(next)) next++;
                index = next++;
            }

            SetInput(context, graph.Inputs, index, request.Inputs[i]);
        }

        context.Compute(cancel);
        return Write(context, graph.Outputs, request.Outputs);
    }

    static void SetInput(INnContext context, ImmutableArray<TensorPort> ports, int index, TensorFile input)
    {
        if (ports.Length > 0 && index >= ports.Length)
            throw new CommandException($"--input {input.Path}: the model has {Words.Count(ports.Length, "input")}: {Names(ports)}");
        if (ports.Length > 0) Check(ports[index], input);
        context.SetInput(index, input.Read());
    }

    static void Check(TensorPort port, TensorFile input)
    {
        var fits = (port.Type is null || port.Type == input.Type) && (port.Dimensions.IsDefault
            || (port.Dimensions.Length == input.Dimensions.Length
                && port.Dimensions.Zip(input.Dimensions).All(pair => pair.First < 0 || pair.First == pair.Second)));
        if (fits) return;
        throw new CommandException($"--input {input.Path}: {TensorFile.Word(input.Type)} {TensorFile.Word(input.Dimensions)} "
            + $"does not fit input '{Words.Plain(port.Name)}', which takes {Word(port)}");
    }

    static ImmutableArray<(string Name, Tensor Tensor)> Write(
        INnContext context, ImmutableArray<TensorPort> ports, string[] outputs)
    {
        // Of a model of text: the text, and what can be told about it.
        if (ports.IsEmpty) ports = [new("text", TensorType.U8, [-1]), new("metadata", TensorType.U8, [-1])];
        if (outputs.Length > ports.Length)
            throw new CommandException($"--output: the model has {Words.Count(ports.Length, "output")}: {Names(ports)}");
        var all = ports.Select((port, i) => (port.Name, Tensor: context.GetOutput(i))).ToImmutableArray();
        for (var i = 0; i < outputs.Length; i++)
        {
            var (name, path) = TensorFile.Split(outputs[i]);
            var index = name is null ? i : Index("--output", ports, name);
            try
            {
                File.WriteAllBytes(path, all[index].Tensor.Data.Span);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandException($"--output {path}: {e.Message}");
            }
        }

        return all;
    }

    static int Index(string option, ImmutableArray<TensorPort> ports, string name) => TensorPort.Find(ports, name) is >= 0 and var index
        ? index : throw new CommandException($"{option} {name}: the model has no such name: {Names(ports)}");

    static string Names(ImmutableArray<TensorPort> ports) => string.Join(", ", ports.Select(port => Words.Plain(port.Name)));

    static string Word(TensorPort port) =>
        $"{(port.Type is { } type ? TensorFile.Word(type) : "any")} {TensorFile.Word(port.Dimensions)}";

    static void Show(
        Screen screen, bool isJson, NnEncoding encoding, INnGraph graph, ImmutableArray<(string Name, Tensor Tensor)> computed)
    {
        var outputs = computed.IsEmpty ? graph.Outputs
            : [.. computed.Select(one => new TensorPort(one.Name, one.Tensor.Type, one.Tensor.Dimensions))];
        if (isJson)
        {
            screen.Result(new JsonObject
            {
                ["encoding"] = encoding.ToString().ToLowerInvariant(),
                ["inputs"] = Json(graph.Inputs),
                ["outputs"] = Json(outputs),
            });
            return;
        }

        if (graph.Outputs.IsEmpty)
        {
            screen.Result(computed.IsEmpty
                ? "a model of text: --input FILE:u8:LENGTH is its prompt" : Encoding.UTF8.GetString(computed[0].Tensor.Data.Span));
            return;
        }

        if (computed.IsEmpty) foreach (var port in graph.Inputs) screen.Result($"input {Words.Plain(port.Name)}: {Word(port)}");
        foreach (var port in outputs) screen.Result($"output {Words.Plain(port.Name)}: {Word(port)}");
    }

    static JsonArray Json(ImmutableArray<TensorPort> ports) => [.. ports.Select(port => (JsonNode)new JsonObject
    {
        ["name"] = port.Name,
        ["type"] = port.Type is { } type ? TensorFile.Word(type) : null,
        ["shape"] = port.Dimensions.IsDefault ? null : new JsonArray([.. port.Dimensions.Select(size => (JsonNode)size)]),
    })];
}
