using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Nn;
using Millrace.Sandbox;

namespace Millrace.Flows.Operations;

/// <summary>
/// <c>nn.load</c> and <c>nn.compute</c>: WASI-NN's calls, as a guest in flow mode makes them. A computation names its model
/// and brings all of its inputs, so that nothing of a run is kept here, and a run that goes on needs nothing rebuilt.
/// </summary>
sealed class NnOperations(NnOptions options, TimeProvider time) : IDisposable
{
    /// <summary>Bytes of all outputs of a computation; they go into the journal.</summary>
    const int OutputBytesMax = 32 << 20;

    // Tokens of a text whose options say nothing of it; as large as the engines make a context by themselves.
    const int TokensStandard = 4096;

    public const string ComputeName = "nn.compute";

    const string KeyPrefix = "sha256:";

    readonly LoadedModels _models = new(time);

    public BuiltIn Load => new("nn.load", _ => OperationKind.Read, LoadAsync);

    public BuiltIn Compute => new(ComputeName, _ => OperationKind.Paid, ComputeAsync) { Reserve = ReserveAsync };

    public void Dispose() => _models.Dispose();

    Task<OperationOutcome> LoadAsync(OperationContext context, OperationRequest request, CancellationToken cancel) =>
        AnswerAsync(context, async within =>
        {
            var ask = Read(context, request);
            if (ask.Model is not null || ask.Inputs.Length > 0)
                throw new NnException(NnErrno.InvalidArgument, "nn.load takes no 'model' and no 'inputs'");
            var model = ask.Name is not null ? Named(ask) : Brought(ask, request.Body);
            var answer = await _models.UseAsync(model.Key, model.Load, Describe, within);
            return (answer with { Model = ask.Name is null ? model.Key : null }, default);
        }, cancel);

    Task<OperationOutcome> ComputeAsync(OperationContext context, OperationRequest request, CancellationToken cancel) =>
        AnswerAsync(context, async within =>
        {
            var ask = Read(context, request);
            var inputs = Inputs(ask, request.Body);
            context.BeforeSend();
            var (key, load) = ModelOf(ask);
            return await _models.UseAsync(key, load, graph => Timed(
                context, stop => Computation.Run(graph, inputs, ask.IsSingle, OutputBytesMax, stop), within), within);
        }, cancel);

    // Waiting for others and loading cost the run nothing.
    static T Timed<T>(OperationContext context, Func<CancellationToken, T> compute, CancellationToken cancel)
    {
        var (budget, began) = (context.Computing, context.Time.GetTimestamp());
        using var timeout = new CancellationTokenSource(budget.Left, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        try
        {
            either.Token.ThrowIfCancellationRequested();
            return compute(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            budget.Refuse();
            throw new OverBudgetException($"The {budget.Limit.TotalSeconds:0.###} s of CPU time that models may take are used up.");
        }
        finally
        {
            budget.Use(context.Time.GetElapsedTime(began));
        }
    }

    async ValueTask<long> ReserveAsync(OperationContext context, OperationRequest request, CancellationToken cancel)
    {
        try
        {
            var ask = Read(context, request);
            var (key, load) = ModelOf(ask);
            var isText = await _models.UseAsync(key, load, static graph => Computation.IsText(graph), cancel);
            // A token has at least a byte.
            return isText ? request.Body.Length + TokensOf(ask.Options) : 0;
        }
        catch (Exception e) when (e is NnException or DeniedException)
        {
            // Nothing will be spent: the attempt answers with this error.
            return 0;
        }
    }

    static async Task<OperationOutcome> AnswerAsync(
        OperationContext context, Func<CancellationToken, Task<(NnAnswer Head, ReadOnlyMemory<byte> Body)>> answer,
        CancellationToken cancel)
    {
        var left = context.Deadline - context.Time.GetUtcNow();
        using var timeout = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        try
        {
            var (head, body) = await answer(either.Token);
            var result = new OperationResult(ResultState.Done, head.Write(), body, Clock.Ns(context.Time));
            return new(result) { Tokens = Computation.TokensOf(head, body) };
        }
        catch (NnException e)
        {
            return new(ErrorResult.Of(context.Time, TypeOf(e.Errno), e.Message, errno: (int)e.Errno));
        }
        catch (DeniedException e)
        {
            return new(ErrorResult.Of(context.Time, ErrorResult.Denied, e.Message));
        }
        catch (OverBudgetException e)
        {
            return new(ErrorResult.Of(context.Time, ErrorResult.OverBudget, e.Message));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(ErrorResult.Of(context.Time, ErrorResult.TimeOut, "The model was not computed in time."));
        }
    }

    static NnAsk Read(OperationContext context, OperationRequest request)
    {
        var ask = NnAsk.Read(request.Head);
        var grant = (context.Flow?.Grants ?? context.Integration!.Grants).Nn!;
        if (ask.Name is { } name && !Grants.Allows(grant.Models, name)) throw new DeniedException($"The model '{name}' is not granted.");
        if (ask.Name is null && !grant.OwnModels)
            throw new DeniedException("Models that the flow brings itself are not granted: own_models.");
        return ask;
    }

    (string Key, Func<INnGraph>? Load) ModelOf(NnAsk ask)
    {
        if (ask.Name is not null) return Named(ask);
        // Other keys are those of models by their names, which were not asked for.
        return ask.Model?.StartsWith(KeyPrefix, StringComparison.Ordinal) is true
            ? (ask.Model, null)
            : throw new NnException(NnErrno.InvalidArgument, "nn.compute needs a 'name', or a 'model' as nn.load answered it");
    }

    (string Key, Func<INnGraph> Load) Named(NnAsk ask)
    {
        var models = new NnModels(options with { Limits = options.Limits with { TokensMax = TokensOf(ask.Options) } });
        var key = Encoding.UTF8.GetString(new NnAsk { Name = ask.Name, Options = ask.Options }.Write());
        // Other runs may wait for the same model: one that ends does not break its load off.
        return (key, () => models.LoadByName(ask.Name!, ask.Options, CancellationToken.None));
    }

    (string Key, Func<INnGraph> Load) Brought(NnAsk ask, ReadOnlyMemory<byte> body)
    {
        // Only a model that was granted by name may say so: what its bytes are is then the host's to know.
        if (ask.Encoding is not { } encoding || encoding is NnEncoding.AutoDetect or NnEncoding.Llama2)
            throw new NnException(NnErrno.InvalidEncoding, "a model that is brought needs an 'encoding' of its own");
        var rest = body;
        var builders = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(ask.Builders.Length);
        foreach (var length in ask.Builders) builders.Add(Take(ref rest, length));
        if (builders.Count == 0 || rest.Length > 0)
            throw new NnException(NnErrno.InvalidArgument, "the body is not as long as 'builders' says");
        var model = new NnModel(builders.MoveToImmutable(), ask.Target) { Outputs = ask.Outputs };
        var text = encoding == NnEncoding.Ggml && model.Builders.Length > 1 ? Encoding.UTF8.GetString(model.Builders[1].Span) : null;
        var models = new NnModels(options with { Limits = options.Limits with { TokensMax = TokensOf(text) } });
        return (KeyOf(ask, body), () => models.Load(encoding, model));
    }

    /// <summary>Whoever knows it has the bytes.</summary>
    static string KeyOf(NnAsk ask, ReadOnlyMemory<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(ask.Write());
        hash.AppendData(body.Span);
        return KeyPrefix + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    static ImmutableArray<(int Index, Tensor Tensor)> Inputs(NnAsk ask, ReadOnlyMemory<byte> body)
    {
        var inputs = ImmutableArray.CreateBuilder<(int, Tensor)>(ask.Inputs.Length);
        foreach (var input in ask.Inputs)
        {
            var bytes = (long)Tensor.Count(input.Shape) * Tensor.Bytes(input.Type);
            inputs.Add((input.Index, new(input.Type, input.Shape, Take(ref body, bytes))));
        }

        return body.IsEmpty ? inputs.MoveToImmutable()
            : throw new NnException(NnErrno.InvalidArgument, "the body is longer than 'inputs' says");
    }

    static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> body, long bytes)
    {
        if (bytes < 0 || bytes > body.Length) throw new NnException(NnErrno.InvalidArgument, "the body is shorter than the head says");
        var taken = body[..(int)bytes];
        body = body[(int)bytes..];
        return taken;
    }

    static NnAnswer Describe(INnGraph graph) => new()
    {
        IsText = Computation.IsText(graph),
        Inputs = NnPort.Of(graph.Inputs),
        Outputs = NnPort.Of(graph.Outputs),
    };

    /// <summary>Most tokens of a text: what the options say, or the context.</summary>
    static int TokensOf(string? options)
    {
        if (options is null) return TokensStandard;
        try
        {
            using var document = JsonDocument.Parse(options);
            return Whole(document.RootElement, "n-predict") ?? Whole(document.RootElement, "ctx-size") ?? TokensStandard;
        }
        catch (JsonException)
        {
            // The engine refuses it in its own words.
            return TokensStandard;
        }
    }

    static int? Whole(JsonElement options, string name) =>
        options.ValueKind == JsonValueKind.Object && options.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 ? number : null;

    static string TypeOf(NnErrno errno) => errno switch
    {
        NnErrno.NotFound or NnErrno.ModelNotFound => ErrorResult.NotFound,
        NnErrno.TooLarge => ErrorResult.TooLarge,
        NnErrno.PromptTooLong or NnErrno.ContextFull => ErrorResult.ContextExceeded,
        NnErrno.RuntimeError or NnErrno.Busy => ErrorResult.Unavailable,
        _ => ErrorResult.Invalid,
    };
}

/// <summary>The run has nothing left for it.</summary>
sealed class OverBudgetException(string message) : Exception(message);
