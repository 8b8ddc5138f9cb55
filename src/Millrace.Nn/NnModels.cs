using System.Collections.Immutable;
using System.Text;
using Millrace.Nn.Calls;

namespace Millrace.Nn;

/// <summary>Models computed by the engines of this machine. Thread-safe.</summary>
public sealed class NnModels(NnOptions options) : INnModels
{
    readonly NnOptions _options = options;

    /// <inheritdoc/>
    public INnGraph Load(NnEncoding encoding, NnModel model)
    {
        var backend = Backend(encoding);
        model = model with { TokensMax = _options.Limits.TokensMax };
        if (encoding != NnEncoding.Ggml || model.Path is not null) return backend.Load(model);
        // WasmEdge takes a first builder of `preload:` and a path; a guest that brings that reaches no file here.
        var file = new ModelFile(model.Builders[0].Span);
        try
        {
            var text = model.Builders.Length > 1 ? Encoding.UTF8.GetString(model.Builders[1].Span) : null;
            return new FileGraph(backend.Load(model with { Builders = [], Path = file.Path, Options = text }), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public INnGraph LoadByName(string name, string? options, CancellationToken cancel)
    {
        var model = Find(name) ?? throw new NnException(NnErrno.NotFound, $"no model has the name '{name}'");
        // Before the backend: that a file is gone is told where no engine is, too.
        if (model.Paths.FirstOrDefault(path => !File.Exists(path)) is { } missing)
            throw new NnException(NnErrno.ModelNotFound, $"model '{name}': there is no file {missing}");
        try
        {
            return Load(model, options is "" ? null : options, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NnException(NnErrno.ModelNotFound, $"model '{name}' cannot be read: {e.Message}");
        }
    }

    NamedModel? Find(string name) => _options.Models.GetValueOrDefault(name) ?? _options.FindModel(name);

    INnGraph Load(NamedModel model, string? text, CancellationToken cancel)
    {
        var encoding = model.Encoding == NnEncoding.AutoDetect ? Detect(model) : model.Encoding;
        var files = model.Files.IsEmpty ? [.. model.Paths.Select(NnFile.Of)] : model.Files;
        if (encoding is NnEncoding.Ggml or NnEncoding.Llama2)
        {
            files[0].Open().Dispose();
            return Load(encoding, new([], model.Target) { Path = files[0].Path, Options = text, Cancel = cancel });
        }

        var opens = Backend(encoding).OpensFiles;
        ReadOnlyMemory<byte>[] parts = text is null ? [] : [Encoding.UTF8.GetBytes(text)];
        if (!opens) parts = [.. files.Select(file => file.Read()), .. parts];
        return Load(encoding, new([.. parts], model.Target) { Files = opens ? files : [], Cancel = cancel });
    }

    static NnEncoding Detect(NamedModel model)
    {
        using var file = File.OpenRead(model.Paths[0]);
        var head = new byte[ModelFormat.HeadBytes];
        var count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return ModelFormat.OfBytes(head.AsSpan(0, count)) ?? ModelFormat.OfPath(model.Paths[0])
            ?? throw new NnException(
                NnErrno.InvalidEncoding, $"model '{model.Name}': the encoding cannot be told from {model.Paths[0]}; name it");
    }

    INnBackend Backend(NnEncoding encoding)
    {
        var backend = _options.Backends.FirstOrDefault(backend => backend.Encoding == encoding)
            ?? throw new NnException(NnErrno.InvalidEncoding, $"there is no backend for {encoding}");
        return backend.WhyAbsent is { } why ? throw new NnException(NnErrno.InvalidEncoding, $"{encoding}: {why}") : backend;
    }

    /// <summary>A graph that goes with the file that was made for it.</summary>
    sealed class FileGraph(INnGraph graph, ModelFile file) : INnGraph
    {
        public ImmutableArray<TensorPort> Inputs => graph.Inputs;

        public ImmutableArray<TensorPort> Outputs => graph.Outputs;

        public INnContext CreateContext() => graph.CreateContext();

        public void Dispose()
        {
            graph.Dispose();
            file.Dispose();
        }
    }
}
