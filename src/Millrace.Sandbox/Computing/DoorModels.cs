using System.Text.Json;
using Millrace.Nn;
using Millrace.Sandbox.Door;

namespace Millrace.Sandbox.Computing;

/// <summary>
/// Models as a flow's guest has them: every load and every computation is an operation at the door, so that a run executed
/// again gets the same tensors from its journal, and no engine is asked. What a model is computed on goes along with each
/// computation: the host keeps nothing of a run.
/// </summary>
sealed class DoorModels(RunDoor door) : INnModels
{
    /// <summary>Bytes of outputs that all contexts hold; the guest's own memory has none of them.</summary>
    const long OutputBytesMax = 64L << 20;

    /// <summary>
    /// What a guest may keep in the worker besides its memory. A request at the door has a limit of its own, so a model that
    /// it brings is no larger than that.
    /// </summary>
    public static readonly NnLimits Limits = new()
    {
        GraphsMax = 16,
        ContextsMax = 64,
        BuilderBytesMax = 64L << 20,
        TensorBytesMax = Refusal.BodyBytesMax,
        InputBytesMax = 64L << 20,
    };

    long _outputBytes;

    public INnGraph Load(NnEncoding encoding, NnModel model) => new DoorGraph(this, new()
    {
        Encoding = encoding,
        Target = model.Target,
        Outputs = model.Outputs,
    }, model.Builders);

    public INnGraph LoadByName(string name, string? options, CancellationToken cancel) =>
        new DoorGraph(this, new() { Name = name, Options = options is "" ? null : options }, []);

    /// <summary>Asks and waits.</summary>
    /// <exception cref="NnException">The host refuses, or the engine failed.</exception>
    public (NnAnswer Head, ReadOnlyMemory<byte> Body) Ask(string operation, NnAsk ask, params IEnumerable<ReadOnlyMemory<byte>> body)
    {
        var result = door.Ask(operation, ask.Write(), Joined(body));
        return result.State == ResultState.Done ? (NnAnswer.Read(result.Head), result.Body) : throw Refused(result.Head);
    }

    /// <summary>Takes note of outputs that a context holds instead of others.</summary>
    public void Hold(long bytes, long former)
    {
        if (_outputBytes - former + bytes > OutputBytesMax)
        {
            throw new NnException(
                NnErrno.TooLarge, $"outputs of {bytes} bytes beside {_outputBytes - former} of others; the limit is {OutputBytesMax}");
        }

        _outputBytes += bytes - former;
    }

    static byte[] Joined(IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        var bytes = new byte[parts.Sum(part => (long)part.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(bytes.AsMemory(at));
            at += part.Length;
        }

        return bytes;
    }

    static NnException Refused(ReadOnlyMemory<byte> problem)
    {
        using var head = JsonDocument.Parse(problem);
        var type = head.RootElement.GetProperty("type").GetString();
        var errno = head.RootElement.TryGetProperty("errno", out var number) ? (NnErrno)number.GetInt32() : type switch
        {
            "denied" or "not-found" => NnErrno.NotFound,
            "over-budget" or "too-large" => NnErrno.TooLarge,
            "invalid" => NnErrno.InvalidArgument,
            _ => NnErrno.RuntimeError,
        };
        return new(errno, head.RootElement.GetProperty("detail").GetString()!);
    }
}
