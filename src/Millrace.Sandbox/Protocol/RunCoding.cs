using System.Collections.Immutable;
using Millrace.Wasm;

namespace Millrace.Sandbox.Protocol;

/// <summary>A run to execute: what it is, and the hash of its module.</summary>
sealed record RunOrder(string Module, RunRequest Request);

/// <summary>How runs and their ends are written and read.</summary>
static class RunCoding
{
    const int MessageBytesMax = 16 << 10;
    const int FramesMax = 512;
    const int FrameBytesMax = 2 << 10;
    const byte NoTrap = 255;

    public static MessageWriter Write(uint run, byte[] module, RunRequest request)
    {
        var message = new MessageWriter(Verb.Run, run).Raw(module).Text(request.RunId)
            .Long(request.StartedAtNs).Bytes(request.Seed).Bytes(request.Input);
        message.Int(request.Arguments.Length);
        foreach (var argument in request.Arguments) message.Text(argument);
        message.Int(request.Environment.Count);
        foreach (var (name, value) in request.Environment) message.Text(name).Text(value);
        message.Int(request.Assets.Count);
        foreach (var (path, bytes) in request.Assets) message.Text(path).Raw(Blob.HashOf(bytes));
        var limits = request.Limits;
        message.Long(limits.MemoryBytesMax).Long(limits.Wall.Ticks).Long(limits.Cpu.Ticks)
            .Long(limits.FileBytesMax).Long(limits.OutputBytesMax);
        Write(message, request.Journal);
        return message;
    }

    static void Write(MessageWriter message, JournalPrefix journal)
    {
        message.Int(journal.Operations.Length);
        foreach (var operation in journal.Operations)
        {
            message.Long(operation.Sequence).Text(operation.Name).Bytes(operation.Digest);
            message.Byte(operation.Result is null ? (byte)0 : (byte)1);
            if (operation.Result is { } result) Write(message, result);
        }

        message.Int(journal.Deliveries.Length);
        foreach (var delivery in journal.Deliveries) Write(message, delivery);
    }

    public static MessageWriter Write(MessageWriter message, OperationResult result) => message
        .Byte((byte)result.State).Long(result.CompletedAtNs).Bytes(result.Head).Bytes(result.Body);

    public static MessageWriter Write(MessageWriter message, Delivery delivery) => message
        .Byte((byte)delivery.Kind).Long(delivery.Sequence).Long(delivery.AtNs);

    /// <summary>Reads a run; <paramref name="blob"/> finds what was loaded.</summary>
    public static RunOrder ReadRun(MessageReader message, Func<string, ReadOnlyMemory<byte>> blob)
    {
        var module = Blob.NameOf(message.Fixed(Blob.HashBytes).Span);
        var request = new RunRequest
        {
            RunId = message.Text(int.MaxValue),
            StartedAtNs = message.Long(),
            Seed = message.Bytes(int.MaxValue),
            Input = message.Bytes(int.MaxValue),
            Arguments = [.. Many(message, message => message.Text(int.MaxValue))],
            Environment = Many(message, message => (message.Text(int.MaxValue), message.Text(int.MaxValue)))
                .ToImmutableSortedDictionary(pair => pair.Item1, pair => pair.Item2),
            Assets = Many(message, message => (message.Text(int.MaxValue), Blob.NameOf(message.Fixed(Blob.HashBytes).Span)))
                .ToImmutableSortedDictionary(asset => asset.Item1, asset => blob(asset.Item2)),
            Limits = new()
            {
                MemoryBytesMax = message.Amount(),
                Wall = new(message.Long()),
                Cpu = new(message.Long()),
                FileBytesMax = message.Amount(),
                OutputBytesMax = message.Amount(),
            },
            Journal = new([.. Many(message, ReadOperation)], [.. Many(message, ReadDelivery)]),
        };
        message.End();
        return new(module, request);
    }

    static JournaledOperation ReadOperation(MessageReader message) => new(
        message.Long(), message.Text(int.MaxValue), message.Bytes(int.MaxValue),
        message.Byte() == 0 ? null : ReadResult(message));

    public static OperationResult ReadResult(MessageReader message)
    {
        var (state, at) = (message.Choice<ResultState>(), message.Long());
        return new(state, message.Bytes(int.MaxValue), message.Bytes(int.MaxValue), at);
    }

    public static Delivery ReadDelivery(MessageReader message) =>
        new(message.Choice<DeliveryKind>(), message.Long(), message.Long());

    static T[] Many<T>(MessageReader message, Func<MessageReader, T> read)
    {
        // Whatever it is, it has at least a byte.
        var many = new T[message.Count(message.Left)];
        for (var i = 0; i < many.Length; i++) many[i] = read(message);
        return many;
    }

    public static MessageWriter Write(uint run, RunEnd end)
    {
        var message = new MessageWriter(Verb.Ended, run).Byte((byte)end.Kind).Int(end.ExitCode)
            .Text(Cut(end.Message, MessageBytesMax)).Byte(end.Trap is { } trap ? (byte)trap : NoTrap)
            .Long(end.Cpu.Ticks).Long(end.MemoryBytesPeak);
        var frames = end.Backtrace.Length > FramesMax ? end.Backtrace[..FramesMax] : end.Backtrace;
        message.Int(frames.Length);
        foreach (var frame in frames) message.Text(Cut(frame, FrameBytesMax));
        return message;
    }

    public static RunEnd ReadEnd(MessageReader message)
    {
        var (kind, code, text) = (message.Choice<RunEndKind>(), message.Int(), message.Text(MessageBytesMax));
        var trap = message.Byte();
        if (trap != NoTrap && !Enum.IsDefined((TrapCode)trap)) throw message.Fault($"{trap} is no trap");
        var end = new RunEnd(kind, code, text)
        {
            Trap = trap == NoTrap ? null : (TrapCode)trap,
            Cpu = new(message.Amount()),
            MemoryBytesPeak = message.Amount(),
        };
        var frames = new string[message.Count(FramesMax)];
        for (var i = 0; i < frames.Length; i++) frames[i] = message.Text(FrameBytesMax);
        message.End();
        return frames.Length == 0 ? end : end with { Backtrace = [.. frames] };
    }

    /// <summary>As much of a text as surely fits; a character has at most three bytes for each of its UTF-16 units.</summary>
    public static string Cut(string text, int bytesMax) => text.Length <= bytesMax / 3 ? text : text[..(bytesMax / 3)];
}
